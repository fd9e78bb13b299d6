import KiteQCore

/// Where in the index `by_route` fresh messages may be: for an owner and a route, the seq below which there are none.
///
/// What was deleted and not purged yet lies in the index all the same, at the head of each range most of all: whoever begins there
/// reads all of it, to find nothing. So a look begins at a mark.
///
/// Of this life's own messages the marks are exact: nobody else makes a message this life's. A write says beforehand which seqs it
/// may bring; a look raises a mark to the first message that it found, and no further than a write that it may have passed over.
/// Of dead lives they are exact too, for nothing is added to those; but they had to be looked for first.
struct FreshMarks: Sendable {
    typealias WriteID = Int
    typealias LookID = Int
    /// By route, the smallest seq.
    typealias Lowest = [RouteID: Int64]

    private var own: Int64
    /// By owner and route: no message below. An owner who is not here was not looked at.
    private var floors: [Int64: Lowest]
    private var writes: [WriteID: Lowest] = [:]
    /// By look: what was written since it began, or was being written then.
    private var passedOver: [LookID: Lowest] = [:]
    private var lastID = 0
    /// Writes of which nobody knows whether they are done.
    private var doubtful: Set<WriteID> = []

    /// A new life has no messages.
    init(own: Int64) {
        self.own = own
        floors = [own: [:]]
    }

    // MARK: Writes of this life

    mutating func beginWrite() -> WriteID {
        lastID += 1
        writes[lastID] = [:]
        return lastID
    }

    /// Messages that a write makes this life's. To be said before it does.
    mutating func add(_ lowest: Lowest, to write: WriteID) {
        for (route, seq) in lowest {
            floors[own, default: [:]].lower(route, to: seq)
            writes[write]?.lower(route, to: seq)
            for look in passedOver.keys { passedOver[look]?.lower(route, to: seq) }
        }
    }

    /// It is done, or will never be; of one that is in doubt nobody knows that.
    mutating func endWrite(_ write: WriteID) { if !doubtful.contains(write) { writes[write] = nil } }

    /// It may be done yet.
    mutating func doubt(_ write: WriteID) { if writes[write] != nil { doubtful.insert(write) } }

    /// The connections of all doubtful writes are gone.
    mutating func endDoubts() {
        for write in doubtful { writes[write] = nil }
        doubtful = []
    }

    // MARK: Looks

    mutating func beginLook() -> LookID {
        lastID += 1
        passedOver[lastID] = writes.values.reduce(into: [:]) { all, write in
            for (route, seq) in write { all.lower(route, to: seq) }
        }
        return lastID
    }

    mutating func endLook(_ look: LookID) { passedOver[look] = nil }

    /// What a look found from the mark on, or from below it.
    ///
    /// - Parameter first: the first message; nil: none.
    mutating func found(_ first: Int64?, of owner: Int64, _ route: RouteID, by look: LookID) {
        guard let passed = passedOver[look] else { return }
        let least = [first, owner == own ? passed[route] : nil].compactMap(\.self).min()
        floors[owner, default: [:]][route] = least
    }

    /// A dead life was looked at whole: it has messages of these routes alone.
    mutating func know(_ routes: [RouteID], of owner: Int64) {
        guard owner != own else { return }
        let known = floors[owner] ?? [:]
        floors[owner] = Dictionary(uniqueKeysWithValues: routes.map { ($0, known[$0] ?? 0) })
    }

    // MARK: Asking

    func isKnown(_ owner: Int64) -> Bool { floors[owner] != nil }

    /// False: it has none of that route for sure.
    func mayHave(_ route: RouteID, of owner: Int64) -> Bool { floors[owner].map { $0[route] != nil } ?? true }

    /// No message of it is below. 0: there may be some anywhere.
    func floor(of owner: Int64, _ route: RouteID) -> Int64 { floors[owner]?[route] ?? 0 }

    /// The next route that an owner may have messages of.
    func route(of owner: Int64, after route: RouteID) -> RouteID? {
        floors[owner]?.keys.lazy.filter { $0 > route }.min()
    }

    func routes(of owner: Int64) -> [RouteID] { floors[owner]?.keys.sorted() ?? [] }

    // MARK: Forgetting

    /// The database is not what it was: of any of these routes there may be messages anywhere.
    mutating func distrust(_ routes: [RouteID]) {
        let all = Set(routes).union(self.routes(of: own))
        floors = [own: Dictionary(uniqueKeysWithValues: all.map { ($0, 0) })]
        for look in passedOver.keys { for route in all { passedOver[look]?.lower(route, to: 0) } }
    }

    /// Forgets dead lives that have nothing any more, and those that nobody speaks of.
    mutating func keep(dead: Set<Int64>) { floors = floors.filter { $0.key == own || dead.contains($0.key) } }
}

extension FreshMarks.Lowest {
    fileprivate mutating func lower(_ route: RouteID, to seq: Int64) {
        self[route] = Swift.min(self[route] ?? seq, seq)
    }
}
