import KiteQCore

/// The account of a group that has limits, and these.
struct GroupQuota: Sendable {
    let group: String
    let account: GroupAccount
    let limits: GroupLimits

    typealias Excess = (kind: Refusals.Kind, why: String)

    /// Whether its half messages are counted.
    var countsHalfMessages: Bool { limits.halfMessages > 0 }

    /// One publish of so many bytes. Nil where it is within the limits; else what it is over, and a sentence.
    func excess(of bytes: Int, now: MonotonicTime) -> Excess? {
        guard limits.rate > 0 || limits.bytes > 0 else { return nil }
        switch account.take(bytes: bytes, within: limits, now: now) {
        case nil: return nil
        case .rate(let limit):
            return (.groupRate, "try again later: group \(group) may publish \(limit) messages a second (max_rate)")
        case .bytes(let limit):
            return (.groupBytes, "try again later: group \(group) may publish \(limit) bytes a second (max_bytes)")
        }
    }

    /// One half message, which counts from here on where nil is returned.
    func excessOfHalfMessages() -> Excess? {
        guard countsHalfMessages,
            let count = account.withHalfMessages({ $0.take(within: limits.halfMessages) })
        else { return nil }
        return (
            .groupHalfMessages,
            "try again later: group \(group) has \(count) half messages that are not decided, and may have \(limits.halfMessages) (max_half_messages)"
        )
    }
}
