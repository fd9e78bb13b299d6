import KiteQCore

/// When a look may begin at the head of an index, and not at a mark: as often as it is asked for while that is cheap, and else for a
/// hundredth of the time.
///
/// A mark may be wrong: somebody puts rows back, or another broker lets go of an old message. What lies below it a full look finds. With
/// millions of deleted rows that are not purged, such a look takes a second; where nothing is in its way, a millisecond.
struct FullLooks: Sendable {
    enum Kind: CaseIterable {
        case messageOwners, deliveryOwners, freshRoutes, waiting, held, expiring, undecided, purge, oldest
    }

    /// A look of so long has to wait a hundred times as long for the next one.
    private static let share: MonotonicTime = 100
    /// What a look may take at once, nanoseconds, where none was taken for long.
    private static let most: MonotonicTime = 200_000_000
    /// However long one takes, the next one comes within ten minutes.
    private static let least: MonotonicTime = -600_000_000_000 / share

    private struct Credit {
        var nanoseconds = FullLooks.most
        var at: MonotonicTime
    }

    private var credits: [Kind: Credit] = [:]

    func isDue(_ kind: Kind, now: MonotonicTime) -> Bool {
        guard let credit = credits[kind] else { return true }
        return Self.left(credit, now: now) > 0
    }

    /// - Parameter time: nanoseconds that a full look took.
    mutating func took(_ kind: Kind, _ time: MonotonicTime, now: MonotonicTime) {
        let left = Self.left(credits[kind] ?? Credit(at: now), now: now)
        credits[kind] = Credit(nanoseconds: max(left - time, Self.least), at: now)
    }

    /// The database is not what it was.
    mutating func reset() { credits = [:] }

    private static func left(_ credit: Credit, now: MonotonicTime) -> MonotonicTime {
        min(credit.nanoseconds + (now - credit.at) / share, most)
    }
}
