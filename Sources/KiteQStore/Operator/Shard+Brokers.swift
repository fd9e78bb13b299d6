import KiteQCore
import MariaDB

/// Who works on this shard, and which groups are where.
extension Shard {
    private static let maxLives = 1_000
    private static let maxPresences = 20_000

    /// The lives that this shard remembers, each with its lease here and its groups.
    func lives() async throws -> [BrokerLife] {
        try await ask { [number] connection, _ in
            var groups: [Int64: [String]] = [:]
            for row in try connection.query(OperatorSQL.presence, [.int(Self.maxPresences)]) {
                groups[try row.int(1), default: []].append(try row.text(0))
            }
            return try connection.query(OperatorSQL.lives, [.int(Self.maxLives)]).map { row in
                let (life, state) = (try row.int(0), try row.int(3))
                guard let state = UInt8(exactly: state).flatMap({ BrokerLife.State(rawValue: $0) }) else {
                    throw StoreError(.failed, "shard \(number): incarnation \(life) has the unknown state \(state)")
                }
                return BrokerLife(
                    number: life, name: try row.text(1), address: try row.text(2), joinedAt: try row.int(4),
                    leases: [.init(shard: number, state: state, remaining: try row.int(5))], groups: groups[life] ?? [])
            }
        }
    }
}

extension BrokerListing {
    /// Merges what each shard remembers.
    init(_ shards: [[BrokerLife]], failures: [ShardFailure]) {
        var byNumber: [Int64: BrokerLife] = [:]
        for life in shards.joined() {
            guard var known = byNumber[life.number] else {
                byNumber[life.number] = life
                continue
            }
            known.leases += life.leases
            known.groups = Set(known.groups + life.groups).sorted()
            byNumber[life.number] = known
        }
        self.init(
            brokers: byNumber.values.sorted { ($0.joinedAt, $0.number) > ($1.joinedAt, $1.number) }, failures: failures)
    }
}
