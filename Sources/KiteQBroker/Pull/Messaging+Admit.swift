import KiteQCore

/// What a group shows of itself over HTTP.
package enum GroupProof: Sendable, Hashable {
    /// Nothing was asked for: anybody may call himself so.
    case anyone
    /// A right secret.
    case shown
    /// The group is not known, or its secret is wrong.
    case refused
    /// Too many wrong secrets of the group came from the address lately: this one was not looked at.
    case paused(for: Duration)
}

extension Messaging {
    /// Whether a group is let in with this secret, as it would be over a connection that shows no certificate.
    ///
    /// Whoever has to wait after failures is told so at once: a request that hangs would keep its caller from saying so. For the same
    /// reason a comparison is waited for no longer than a greeting is.
    /// - Parameters:
    ///   - address: where it comes from, as `Peer.address`.
    ///   - isThere: whether somebody still waits for the answer.
    /// - Throws: ``MessagingError`` with `tooMany` where too many wait to have theirs compared, or it takes too long.
    package func admits(
        group: String, secret: String, from address: String, isThere: @escaping @Sendable () -> Bool = { true }
    ) async throws(MessagingError) -> GroupProof {
        let (wait, settings) = (VerdictWait(), services.settings)
        let visitor = Gatekeeper.Visitor(
            group: BindingName(group), secret: secret, address: address, isInHaste: true,
            isWaiting: { isThere() && !wait.isOver })
        var verdict = services.gatekeeper.judge(visitor, by: settings.access, later: wait.end)
        if verdict == nil { verdict = await wait.verdict(within: settings.handshakeTimeout, services.clock) }
        switch verdict {
        case .admitted(.anyone): return .anyone
        case .admitted: return .shown
        case .refused: return .refused
        case .paused(let end): return .paused(for: .nanoseconds(max(0, end - services.clock.monotonic())))
        case .busy, nil: throw MessagingError(.tooMany, "too many clients are waiting to be let in, try again later")
        }
    }
}
