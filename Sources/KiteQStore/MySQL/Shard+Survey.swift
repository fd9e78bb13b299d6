import KiteQCore
import MariaDB
import Synchronization

/// What a broker looks at again and again: where the others' groups are, what is due, what the dead left.
extension Shard {
    func survey(now: Timestamp, latest: Timestamp) async throws -> ShardSurvey {
        let groups = presence.sorted()
        return try await run { [self] connection in
            var survey = ShardSurvey()
            for row in try connection.query(SQL.elsewhere, [.int(incarnation)]) {
                survey.elsewhere.insert(try row.text(0))
            }
            try waits(groups, now: now, latest: latest, on: connection) { row in
                let group = try row.text(0)
                let (seq, due) = (try row.optionalInt(1), try row.optionalInt(2))
                if let seq { survey.waiting[group] = seq }
                if due != nil { survey.due.insert(group) }
                marks.withLock { $0.places.looked(for: group, waiting: seq, due: due, now: now) }
            }
            for owner in try deadWithMessages(on: connection) {
                // One dive into the index for each route.
                for route in marks.withLock({ $0.fresh.routes(of: owner) }) {
                    guard
                        let row = try freshPage(SQL.freshBacklog, of: owner, route, above: 0, limit: 1, on: connection)
                            .first
                    else { continue }
                    let seq = try row.int(0)
                    for member in try self.routeIfThere(route, on: connection)?.members ?? [] {
                        survey.abandoned[member.group] = min(survey.abandoned[member.group] ?? .max, seq)
                    }
                }
            }
            return survey
        }
    }

    private func waits(
        _ groups: [String], now: Timestamp, latest: Timestamp, on connection: isolated MariaDBConnection,
        _ body: (MariaDBRow) throws -> Void
    ) throws {
        try look(.waiting) { isFull in
            func values(_ group: String) -> [MariaDBValue] {
                let start = isFull ? (waitingAbove: 0, dueFrom: 1) : marks.withLock { $0.places.start(of: group) }
                return [
                    .text(group), .text(group), .int(start.waitingAbove), .text(group), .int(start.dueFrom), .int(now),
                    .int(latest),
                ]
            }
            let many = groups.count / SQL.manyGroups * SQL.manyGroups
            for start in stride(from: 0, to: many, by: SQL.manyGroups) {
                let some = groups[start..<start + SQL.manyGroups]
                try connection.query(SQL.manyWait, some.flatMap(values)).forEach(body)
            }
            for group in groups[many...] { try connection.query(SQL.waits, values(group)).forEach(body) }
        }
    }

    func releaseDead(limit: Int) async throws -> Int {
        try await run { [self] connection in
            var released = 0
            for number in try deadOwners(.deliveryOwners, SQL.lastDeliveryOwner, on: connection).owners {
                let owner = MariaDBValue.int(number)
                // What was let go of before lies in the index still.
                let start = marks.withLock { $0.releasedUpTo[number] ?? 0 }
                let held = try connection.query(SQL.deliveriesOf, [owner, .int(start), .int(limit)]).map {
                    try $0.int(0)
                }
                guard let last = held.last else { continue }
                var refusals = Refusals()
                try inParts(Set(held).sorted(), "set free what a dead broker had", &refusals, on: connection) { part in
                    let seqs = part.map { MariaDBValue.int($0) }
                    released += try connection.transaction {
                        try connection.query(SQL.lockMessages, list: seqs) { _ in }
                        CrashPoint.reached(.releasing)
                        return try connection.execute(SQL.releaseDeliveries, list: seqs, after: [owner])
                    }
                }
                // Others of the last message may be left.
                marks.withLock { marks in
                    marks.releasedUpTo[number] = last
                    marks.places.releasedDead()
                    if let first = held.first { marks.places.freed(seq: first) }
                }
            }
            return released
        }
    }

    // MARK: Presence

    func setPresence(_ groups: Set<String>) async throws {
        let (arrived, left) = (groups.subtracting(presence).sorted(), presence.subtracting(groups).sorted())
        guard !arrived.isEmpty || !left.isEmpty else { return }
        let (number, since) = (incarnation, now)
        try await run { [self] connection in
            var refusals = Refusals()
            try inParts(arrived, "note that there are clients of", &refusals, on: connection) { groups in
                var rows = MariaDBBatch([.bytes, .int, .int])
                for group in groups {
                    rows.append(group)
                    rows.append(number)
                    rows.append(since)
                }
                try connection.insert(into: SQL.insertPresence, rows, tail: SQL.keepPresence)
            }
            try inParts(left, "note that there are no clients of", &refusals, on: connection) { groups in
                try connection.execute(SQL.deletePresence, list: groups.map { .text($0) }, after: [.int(number)])
            }
        }
        presence = groups
    }
}
