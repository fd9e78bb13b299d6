import KiteQCore
import MariaDB

/// Groups that a person has paused, in the first shard.
extension Shard {
    /// A person pauses a few.
    static let maxPauses = 10_000

    func pausedGroups() async throws -> Set<String> {
        try await run { connection in
            Set(try connection.query(OperatorSQL.pausedGroups, [.int(Self.maxPauses)]).map { try $0.text(0) })
        }
    }
}
