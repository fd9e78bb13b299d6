import KiteQCore
import Logging
import MariaDB

/// How a broker becomes an owner of messages here, stays one, and leaves.
extension Shard {
    /// Reads whether the server and its tables are what they must be.
    func inspect(_ shardMap: ShardMap, durability: MySQLStoreConfiguration.Durability) async throws {
        // Before any table is asked for: other products lack some of what that takes.
        let product = try await run { try $0.product() }
        if let reason = product.refusal {
            throw StoreError(.failed, "shard \(number) (\(pool.configuration)): \(reason)")
        }
        if let caution = product.caution { logger.warning("\(caution)") }
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
        guard slots.count >= ShardMap.slotCount else {
            throw StoreError(
                .notMigrated,
                "shard \(number) (\(pool.configuration)) has not KiteQ's slots, or not all: run `kiteq migrate` first")
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

    /// The lives that are remembered here.
    struct Lives: Sendable {
        var all: Set<Int64> = []
        /// Those that have not ended.
        var living: Set<Int64> = []
    }

    func rememberedLives() async throws -> Lives {
        try await run { connection in
            var lives = Lives()
            for row in try connection.query(SQL.incarnations) {
                lives.all.insert(try row.int(0))
                if try row.int(1) == 0 { lives.living.insert(try row.int(0)) }
            }
            return lives
        }
    }

    /// Why a life could not be entered.
    enum Obstacle: Error, Sendable {
        /// Another one that is remembered has the same tag.
        case tagTaken
        /// Another one of the name has come in between.
        case nameContested
    }

    /// Enters the new incarnation; no other one of its name may live here then.
    /// - Throws: ``Obstacle`` where it cannot be that one.
    func enter(_ broker: BrokerIdentity, as number: Int64, lease: Duration) async throws {
        try await run { connection in
            try connection.transaction {
                let values: [MariaDBValue] = [
                    .int(number), .text(broker.name), .text(broker.address), .int(Int64(lease / .milliseconds(1))),
                    .int(self.now),
                ]
                var isTaken = false
                do {
                    try connection.execute(SQL.insertIncarnation, values)
                } catch let error as MariaDBError where error.isDuplicateKey {
                    isTaken = true
                }
                let lives = try connection.query(SQL.lockLivesOf, [.text(broker.name)]).map { try $0.int(0) }
                // A row of this very number is from a try whose reply was lost.
                if isTaken && !lives.contains(number) { throw Obstacle.tagTaken }
                if lives != [number] { throw Obstacle.nameContested }
            }
        }
        begin(incarnation: number)
    }

    /// As if it had never been entered: it owns nothing yet.
    func takeBack(_ number: Int64) async throws {
        incarnation = 0
        try await run { _ = try $0.execute(SQL.takeBack, [.int(number)]) }
    }

    /// Whether a life has left nothing in this shard that somebody has yet to finish.
    func ownsNothing(_ number: Int64) async throws -> Bool {
        try await run { connection in
            try [SQL.anyMessageOf, SQL.anyDeliveryOf].allSatisfy { try connection.query($0, [.int(number)]).isEmpty }
        }
    }

    /// Makes room for the tag of a life that has ended.
    func forget(_ number: Int64) async throws {
        try await run { connection in
            try Self.removePresence(of: number, on: connection)
            try connection.execute(SQL.forgetIncarnation, [.int(number)])
        }
    }

    /// A clock may be set back by so many milliseconds between this and the first seq, and ages still hold.
    private static let clockMargin: Timestamp = 60_000

    /// The greatest seq that something here has, of those that a new life counts on from; 0 where there is none.
    func highestSeq() async throws -> Int64 {
        // Seqs of before now are no floor: what is made from now on is above them.
        let least = MariaDBValue.int(SequenceGenerator.smallest(at: min(now, StoreClock.wall()) - Self.clockMargin))
        let limit = MariaDBValue.int(SequenceGenerator.highestFloor(now: now) - 1)
        return try await run { connection in
            try [SQL.lastMessage, SQL.lastTransaction, SQL.lastDeadLetter].map {
                try connection.query($0, [least, limit]).first?.int(0) ?? 0
            }.max() ?? 0
        }
    }

    /// The others need not wait for the lease to run out.
    func leave() async throws {
        let number = incarnation
        try await run { connection in
            try connection.execute(SQL.endLife, [.int(2), .int(number)])
            try Self.removePresence(of: number, on: connection)
        }
    }
}
