import KiteQCore
import MariaDB

/// Who has a name in this shard.
extension Shard {
    struct NameSight: Sendable {
        var lives: [Life]
        /// Of these, those whose every connection was to this server, which has none of them any more.
        var gone: Set<Int64>
        var server: String
        /// Where clients reach the first of them.
        var address: String?
    }

    /// The lives of a name that nobody has declared dead.
    func lives(of name: String) async throws -> NameSight {
        try await run { connection in
            let rows = try connection.query(SQL.livesOf, [.text(name)])
            let lives = try rows.map { try Life($0) }
            let gone = try lives.filter { life in
                guard let ids = life.connections, ids.isWhole, !ids.numbers.isEmpty,
                    ids.areOf(connection.serverIdentity, startedAt: try Self.startTime(on: connection))
                else { return false }
                return try ids.numbers.allSatisfy { try !connection.mayBeOpen($0) }
            }
            return NameSight(
                lives: lives, gone: Set(gone.map(\.number)), server: connection.serverIdentity,
                address: try rows.first?.text(4))
        }
    }

    /// Ends an earlier life of this very process, which has its connections still.
    func endOwn(_ number: Int64) async throws {
        try await run { connection in
            try connection.execute(SQL.endLife, [.int(1), .int(number)])
            try Self.removePresence(of: number, on: connection)
        }
    }
}
