import KiteQCore
import MariaDB

/// What a broker looks at again and again: where the others' groups are, what is due, what the dead left.
extension Shard {
    func survey(now: Timestamp, latest: Timestamp) async throws -> ShardSurvey {
        let groups = presence.sorted()
        return try await run { [self] connection in
            var survey = ShardSurvey()
            for row in try connection.query(SQL.elsewhere, [.int(incarnation)]) {
                survey.elsewhere.insert(try row.text(0))
            }
            try Self.waits(groups, now: now, latest: latest, on: connection) { row in
                let group = try row.text(0)
                if let seq = try row.optionalInt(1) { survey.waiting[group] = seq }
                if try row.int(2) != 0 { survey.due.insert(group) }
            }
            for owner in try Self.deadWithMessages(on: connection) {
                // One dive into the index for each route.
                var route = Route.halfID
                while let row = try connection.query(SQL.abandoned, [.int(owner), .int(route)]).first {
                    route = try row.int(0)
                    let seq = try row.int(1)
                    for member in try self.routeIfThere(route, on: connection)?.members ?? [] {
                        survey.abandoned[member.group] = min(survey.abandoned[member.group] ?? .max, seq)
                    }
                }
            }
            return survey
        }
    }

    private static func waits(
        _ groups: [String], now: Timestamp, latest: Timestamp, on connection: isolated MariaDBConnection,
        _ body: (MariaDBRow) throws -> Void
    ) throws {
        func values(_ group: String) -> [MariaDBValue] {
            [.text(group), .text(group), .text(group), .int(now), .int(latest)]
        }
        let many = groups.count / SQL.manyGroups * SQL.manyGroups
        for start in stride(from: 0, to: many, by: SQL.manyGroups) {
            let some = groups[start..<start + SQL.manyGroups]
            try connection.query(SQL.manyWait, some.flatMap(values)).forEach(body)
        }
        for group in groups[many...] { try connection.query(SQL.waits, values(group)).forEach(body) }
    }

    func releaseDead(limit: Int) async throws -> Int {
        try await run { [self] connection in
            var released = 0
            for number in try Self.deadWithDeliveries(on: connection) {
                let owner = MariaDBValue.int(number)
                let held = try connection.query(SQL.deliveriesOf, [owner, .int(limit)]).map { try $0.int(0) }
                var refusals = Refusals()
                try inParts(Set(held).sorted(), "set free what a dead broker had", &refusals, on: connection) { part in
                    let seqs = part.map { MariaDBValue.int($0) }
                    released += try connection.transaction {
                        try connection.query(SQL.lockMessages, list: seqs) { _ in }
                        CrashPoint.reached(.releasing)
                        return try connection.execute(SQL.releaseDeliveries, list: seqs, after: [owner])
                    }
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
