/// Lets a number of lines (or rows) through in each window of time: of one place, and of one kind in all. It counts the others.
///
/// A place is an address, or an address and a group: whoever knocks all day fills no disk, and does not keep others from being seen.
package struct PlaceThrottle<Kind: Hashable & Sendable>: Sendable {
    private struct Place: Hashable {
        var kind: Kind
        var name: String
    }

    private let ofPlace: LogThrottle
    private let ofKind: LogThrottle
    private var places: [Place: LogThrottle] = [:]
    private var kinds: [Kind: LogThrottle] = [:]
    private var leftOut: [Kind: Int] = [:]

    /// Places that are remembered; then it starts over, and what a kind may have in all still holds.
    private static var rememberedPlaces: Int { 1_000 }

    /// - Parameters:
    ///   - ofPlace: lines of one kind from one place in a window.
    ///   - ofKind: lines of one kind in a window.
    package init(ofPlace: Int, ofKind: Int, per window: Duration = .seconds(60)) {
        self.ofPlace = LogThrottle(limit: ofPlace, per: window)
        self.ofKind = LogThrottle(limit: ofKind, per: window)
    }

    /// Nil where the line is to be left out; else how many of its kind were since the last that was not, wherever they came from.
    package mutating func admit(_ kind: Kind, from place: String, now: ContinuousClock.Instant) -> Int? {
        if places.count >= Self.rememberedPlaces { places.removeAll() }
        let (own, all) = (ofPlace, ofKind)
        guard places[Place(kind: kind, name: place), default: own].admit(now: now) != nil,
            kinds[kind, default: all].admit(now: now) != nil
        else {
            leftOut[kind, default: 0] += 1
            return nil
        }
        return leftOut.removeValue(forKey: kind) ?? 0
    }
}
