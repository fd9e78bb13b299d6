import KiteQCore

/// Whether a token may be looked at now: whoever showed wrong ones again and again waits, by address. A token that was right from that
/// address before is let through meanwhile, so that nobody beside a guesser is locked out of what he does.
struct TokenAttempts: Sendable {
    /// Nothing says whose a wrong token was to be.
    private enum Name { case token }

    private struct Place: Hashable {
        var hash: [UInt8]
        var address: String
    }

    private static let rememberedPlaces = 10_000

    private var pauses = FailurePauses<Name>()
    private var right: Set<Place> = []

    /// How long it must not be looked at; nil where it may.
    func wait(for hash: [UInt8], from address: String, now: MonotonicTime) -> Duration? {
        let end = pauses.end(address, .token)
        return end <= now || right.contains(Place(hash: hash, address: address)) ? nil : .nanoseconds(end - now)
    }

    /// It does not make up for failures: who has a token of his own may be guessing another.
    mutating func succeeded(_ hash: [UInt8], from address: String) {
        let place = Place(hash: hash, address: address)
        guard !right.contains(place) else { return }
        if right.count >= Self.rememberedPlaces { right.removeAll() }
        right.insert(place)
    }

    mutating func failed(from address: String, now: MonotonicTime) { pauses.failed(address, .token, now: now) }
}
