import KiteQCore
import Logging
import MariaDB

/// How a broker becomes an owner of messages here, stays one, and leaves.
extension Shard {
    /// Reads whether the server and its tables are what they must be.
    func inspect(_ shardMap: ShardMap, durability: MySQLStoreConfiguration.Durability) async throws {
        let (slots, settings, reading) = try await run { connection in
            (
                try connection.query(SQL.slots).map { try $0.int(1) },
                try ServerSettings(on: connection),
                try Self.readClock(on: connection)
            )
        }
        measure(reading)
        maxPacket = settings.maxPacket
        guard
            settings.server.isAtLeast(
                settings.server.kind == .mariaDB ? 10 : 8, settings.server.kind == .mariaDB ? 6 : 0)
        else {
            throw StoreError(
                .failed,
                "shard \(number) is \(settings.server.versionText); KiteQ needs MySQL 8.0 or MariaDB 10.6 at least")
        }
        guard !slots.isEmpty else {
            throw StoreError(
                .notMigrated, "shard \(number) (\(pool.configuration)) has not KiteQ's slots: run `kiteq migrate` first"
            )
        }
        guard slots == shardMap.slots.map(Int64.init) else {
            throw StoreError(
                .notMigrated,
                "shard \(number) (\(pool.configuration)) was set up for \(Set(slots).count) shards, the configuration has \(shardMap.shardCount)"
            )
        }
        for problem in settings.problems {
            switch durability {
            case .warn: logger.warning("acknowledged messages may be lost in a crash: \(problem)")
            case .refuse: throw StoreError(.failed, "shard \(number): \(problem) (durability = refuse)")
            }
        }
    }

    /// The numbers of all lives that are remembered.
    func incarnations() async throws -> [Int64] {
        try await run { try $0.query(SQL.incarnations).map { try $0.int(0) } }
    }

    /// Enters the new incarnation; earlier lives of the same broker are dead from then on.
    func join(_ broker: BrokerIdentity, as number: Int64, lease: Duration) async throws {
        try await run { connection in
            try connection.transaction {
                for row in try connection.query(SQL.livesOf, [.text(broker.name)]) {
                    let earlier = MariaDBValue.int(try row.int(0))
                    try connection.execute(SQL.endLife, [.int(1), earlier])
                    try connection.execute(SQL.deletePresenceOf, [earlier])
                }
                try connection.execute(
                    SQL.insertIncarnation,
                    [
                        .int(number), .text(broker.name), .text(broker.address), .int(Int64(lease / .milliseconds(1))),
                        .int(self.now),
                    ])
            }
        }
        begin(incarnation: number)
    }

    /// The others need not wait for the lease to run out.
    func leave() async throws {
        let number = incarnation
        try await run { connection in
            try connection.transaction {
                try connection.execute(SQL.endLife, [.int(2), .int(number)])
                try connection.execute(SQL.deletePresenceOf, [.int(number)])
            }
        }
    }
}
