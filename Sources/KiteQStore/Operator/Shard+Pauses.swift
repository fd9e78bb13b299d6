import KiteQCore
import MariaDB

/// Groups that a person has paused, in the first shard.
extension Shard {
    /// A person pauses a few.
    static let maxPauses = 10_000

    /// For the broker, on a connection of its traffic.
    func pausedGroups() async throws -> Set<String> {
        try await run { connection in
            Set(try connection.query(OperatorSQL.pausedGroups, [.int(Self.maxPauses)]).map { try $0.text(0) })
        }
    }

    func groupPauses() async throws -> [GroupPause] {
        try await ask { connection, _ in
            try connection.query(OperatorSQL.pausedGroups, [.int(Self.maxPauses)]).map { try GroupPause($0) }
        }
    }

    func groupPause(_ group: String) async throws -> GroupPause? {
        try await ask { connection, _ in
            try connection.query(OperatorSQL.pauseOf, [.text(group)]).first.map { try GroupPause($0) }
        }
    }

    /// False where it was paused already.
    func pause(_ group: String, by person: String, reason: String) async throws -> Bool {
        let values: [MariaDBValue] = [
            .text(group), .text(person.prefix(bytes: 255)), .text(reason.prefix(bytes: 1_020)),
        ]
        return try await run(on: operatorPool) { try $0.execute(OperatorSQL.pause, values).affectedRows == 1 }
    }

    /// False where it was not paused.
    func resume(_ group: String) async throws -> Bool {
        try await run(on: operatorPool) { try $0.execute(OperatorSQL.resume, [.text(group)]).affectedRows == 1 }
    }
}

extension GroupPause {
    /// A row of ``OperatorSQL/pausedGroups``.
    init(_ row: MariaDBRow) throws {
        self.init(
            group: try row.text(0), pausedAt: try row.int(1), pausedBy: try row.text(2), reason: try row.text(3))
    }
}
