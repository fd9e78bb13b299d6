import KiteQCore

extension Messaging {
    /// Whether a group is let in with this secret, as it would be over a connection that shows no certificate.
    /// - Parameter address: where it comes from, as `Peer.address`.
    /// - Throws: ``MessagingError`` with `tooMany` where too many wait to have theirs compared.
    package func admits(group: String, secret: String, from address: String) async throws(MessagingError) -> Bool {
        let verdict = await withCheckedContinuation { (continuation: CheckedContinuation<Gatekeeper.Verdict, Never>) in
            let verdict = services.gatekeeper.judge(
                Gatekeeper.Visitor(group: BindingName(group), secret: secret, address: address),
                by: services.settings.access, later: { continuation.resume(returning: $0) })
            if let verdict { continuation.resume(returning: verdict) }
        }
        switch verdict {
        case .admitted: return true
        case .refused: return false
        case .busy: throw MessagingError(.tooMany, "too many clients are waiting to be let in, try again later")
        }
    }
}
