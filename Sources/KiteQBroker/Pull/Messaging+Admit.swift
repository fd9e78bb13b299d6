import KiteQCore

extension Messaging {
    /// Whether a group is let in with this secret, as it would be over a connection that shows no certificate.
    /// - Throws: ``MessagingError`` with `tooMany` where too many wait to have theirs compared.
    package func admits(group: String, secret: String) async throws(MessagingError) -> Bool {
        let verdict = await withCheckedContinuation { (continuation: CheckedContinuation<Gatekeeper.Verdict, Never>) in
            let verdict = services.gatekeeper.judge(
                BindingName(group), secret: secret, certificate: [], by: services.settings.access,
                later: { continuation.resume(returning: $0) })
            if let verdict { continuation.resume(returning: verdict) }
        }
        switch verdict {
        case .admitted: return true
        case .refused: return false
        case .busy: throw MessagingError(.tooMany, "too many clients are waiting to be let in, try again later")
        }
    }
}
