import KiteQCore
import Logging
import MariaDB
import Synchronization

/// What waits in a shard: keys by ranges of an index, then messages by primary key.
extension Shard {
    func freshBacklog(
        of group: String, after: Int64, limit: Int, includingDead: Bool
    ) async throws -> [FreshMessage] {
        try await run { [self] connection in
            let owners = [incarnation] + (includingDead ? try deadWithMessages(on: connection) : [])
            let routes = try connection.query(SQL.routesOf, [.text(group)]).map { try $0.int(0) }
            var found: [(seq: Int64, route: Int64)] = []
            for owner in owners {
                for route in routes {
                    let page = try freshPage(
                        SQL.freshBacklog, of: owner, route, above: after, limit: limit, on: connection)
                    // Of one that is not known whole none are given: the messages of the others must not wait for its.
                    guard !page.isEmpty, try routeIfThere(route, on: connection) != nil else { continue }
                    found += try page.map { (try $0.int(0), route) }
                }
                // Each range gives its first ones: beyond the limit of all together none is wanted.
                if found.count > limit { found = Array(found.sorted { $0.seq < $1.seq }.prefix(limit)) }
            }
            return try found.sorted { $0.seq < $1.seq }.map {
                FreshMessage(seq: $0.seq, route: try route($0.route, on: connection))
            }
        }
    }

    func deliveries(of group: String, in range: DeliveryRange, limit: Int) async throws -> [Int64] {
        try await run { [self] connection in
            try look(.waiting) { isFull in
                let start = isFull ? (waitingAbove: 0, dueFrom: 1) : marks.withLock { $0.places.start(of: group) }
                return switch range {
                case .waiting(let after):
                    try connection.query(
                        SQL.waitingDeliveries, [.text(group), .int(max(after, start.waitingAbove)), .int(limit)])
                case .due(let now, let latest):
                    try connection.query(
                        SQL.dueDeliveries, [.text(group), .int(start.dueFrom), .int(now), .int(latest), .int(limit)])
                }
            }
        }.map { try $0.int(0) }
    }

    func heldDeliveries(after: Int64, limit: Int) async throws -> [HeldDelivery] {
        try await run { [self] connection in
            try look(.held) { isFull in
                let above = isFull ? after : max(after, marks.withLock { $0.places.heldAbove })
                let page = try connection.query(SQL.heldDeliveries, [.int(incarnation), .int(above), .int(limit)]).map {
                    HeldDelivery(seq: try $0.int(0), group: try $0.text(1), attempts: Int(try $0.int(2)))
                }
                if after == 0 { marks.withLock { $0.places.lookedForHeld(first: page.first?.seq, now: now) } }
                return page
            }
        }
    }

    func ownFresh(
        of groups: Set<BindingName>, after start: FreshPlace?, limit: Int
    ) async throws -> (messages: [FreshMessage], next: FreshPlace?) {
        try await run { [self] connection in
            let owner = incarnation
            return try look(.freshRoutes) { isFull in
                var place = start ?? FreshPlace(route: Route.halfID, seq: .max)
                var messages: [FreshMessage] = []
                var room = limit
                while true {
                    if place.route > Route.halfID, let route = try routeIfThere(place.route, on: connection),
                        route.members.contains(where: { groups.contains(BindingName($0.group)) })
                    {
                        let page = try freshPage(
                            SQL.freshBacklog, of: owner, place.route, above: place.seq, limit: room, isFull: isFull,
                            on: connection
                        ).map { FreshMessage(seq: try $0.int(0), route: route) }
                        messages += page
                        if let last = page.last { place.seq = last.seq }
                        room -= page.count
                    }
                    guard room > 0 else { return (messages, place) }
                    guard let next = try nextRoute(of: owner, after: place.route, isFull: isFull, on: connection) else {
                        return (messages, nil)
                    }
                    place = FreshPlace(route: next, seq: 0)
                    // A route that nobody is asked about costs a look, too. The last one leaves room for a row.
                    room = max(1, room - 1)
                }
            }
        }
    }

    // MARK: Loading

    func load(
        _ seqs: [Int64], for group: String, maxBytes: Int
    ) async throws -> (messages: [StoredMessage], count: Int) {
        guard !seqs.isEmpty else { return ([], 0) }
        return try await run { [self] connection in
            let count = try Self.count(of: seqs, within: maxBytes, on: connection)
            return (try load(seqs.prefix(count), for: group, on: connection), count)
        }
    }

    /// How many of the first of these messages have so many bytes together; at least one.
    private static func count(
        of seqs: [Int64], within maxBytes: Int, on connection: isolated MariaDBConnection
    ) throws -> Int {
        guard seqs.count > 1 else { return seqs.count }
        let sizes = try sizes(of: Set(seqs).sorted(), on: connection)
        var bytes = 0
        for (index, seq) in seqs.enumerated() {
            let size = sizes[seq] ?? 0
            if bytes > 0 && bytes + size > maxBytes { return index }
            bytes += size
        }
        return seqs.count
    }

    private func load(
        _ seqs: ArraySlice<Int64>, for group: String, on connection: isolated MariaDBConnection
    ) throws -> [StoredMessage] {
        var rows: [MariaDBRow] = []
        try connection.query(SQL.load, list: Set(seqs).sorted().map { .int($0) }) { rows.append($0) }
        let fresh = try rows.filter { try $0.int(1) == Int64(StoredMessage.State.fresh.rawValue) }
        let mine = try takeFresh(fresh, on: connection)
        let tracked = try rows.filter { try $0.int(1) == Int64(StoredMessage.State.tracked.rawValue) }
        let attempts = try takeDeliveries(try tracked.map { try $0.int(0) }, of: group, on: connection)
        return try rows.compactMap { row in
            let seq = try row.int(0)
            if mine.contains(seq) {
                guard let route = try routeIfThere(try row.int(2), on: connection) else { return nil }
                return StoredMessage(
                    seq: seq, message: try row.message(4, hasBody: true), state: .fresh, route: route)
            }
            guard let attempts = attempts[seq] else { return nil }
            return StoredMessage(
                seq: seq, message: try row.message(4, hasBody: true), state: .tracked, route: Route([]),
                deliveries: [.init(group: group, attempts: attempts, dueAt: 0)])
        }
    }

    /// Of fresh messages those that are this incarnation's, or become so because their owner is dead.
    private func takeFresh(_ rows: [MariaDBRow], on connection: isolated MariaDBConnection) throws -> Set<Int64> {
        var byOwner: [Int64: [Int64]] = [:]
        var sizes: [Int64: Int] = [:]
        var routes: [Int64: RouteID] = [:]
        for row in rows {
            byOwner[try row.int(3), default: []].append(try row.int(0))
            sizes[try row.int(0)] = row.contentSize(12)
            routes[try row.int(0)] = try row.int(2)
        }
        var mine = Set(byOwner.removeValue(forKey: incarnation) ?? [])
        guard !byOwner.isEmpty else { return mine }
        for owner in try Self.dead(byOwner.keys.sorted(), on: connection) {
            mine.formUnion(
                try claim(byOwner[owner] ?? [], routes: { routes[$0] ?? 0 }, sizes, from: owner, on: connection))
        }
        return mine
    }

    /// Another heir may be at the same rows: what counts is whose they are afterwards.
    ///
    /// - Parameters:
    ///   - route: of a message.
    ///   - sizes: bytes of the messages. A row that changes hands is logged as it was and as it is.
    func claim(
        _ seqs: [Int64], routes route: (Int64) -> RouteID, _ sizes: [Int64: Int], from dead: Int64,
        on connection: isolated MariaDBConnection
    ) throws -> [Int64] {
        let list = seqs.sorted().map { MariaDBValue.int($0) }
        var claimed = 0
        var refusals = Refusals()
        try writingFresh(on: connection) { write in
            note(seqs.map { (route($0), $0) }, in: write)
            for piece in seqs.sorted().pieces(bytes: Self.transactionBytes, size: { 2 * (sizes[$0] ?? 0) }) {
                try inParts(piece, "take over messages of a dead broker", &refusals, on: connection) { part in
                    claimed += try connection.execute(
                        SQL.claim, list: part.map { .int($0) }, before: [.int(incarnation)], after: [.int(dead)])
                }
            }
        }
        CrashPoint.reached(.orphanClaimed)
        if claimed == seqs.count { return seqs }
        var mine: [Int64] = []
        try connection.query(SQL.owned, list: list, after: [.int(incarnation)]) { mine.append(try $0.int(0)) }
        return mine
    }

    /// Takes the rows of a group that are nobody's; returns the attempts of those that are this incarnation's then.
    private func takeDeliveries(
        _ seqs: [Int64], of group: String, on connection: isolated MariaDBConnection
    ) throws -> [Int64: Int] {
        guard let first = seqs.min() else { return [:] }
        marks.withLock { $0.places.holds(seq: first) }
        var attempts: [Int64: Int] = [:]
        var refusals = Refusals()
        try inParts(seqs, "take the delivery of", &refusals, on: connection) { part in
            let list = part.map { MariaDBValue.int($0) }
            let taken = try connection.transaction {
                try connection.query(SQL.lockMessages, list: list) { _ in }
                try connection.execute(
                    SQL.takeDeliveries, list: list, before: [.int(incarnation)], after: [.text(group)])
                var taken: [Int64: Int] = [:]
                CrashPoint.reached(.deliveryTaken)
                try connection.query(SQL.takenDeliveries, list: list, after: [.text(group), .int(incarnation)]) { row in
                    taken[try row.int(0)] = Int(try row.int(1))
                }
                return taken
            }
            attempts.merge(taken) { $1 }
        }
        return attempts
    }
}
