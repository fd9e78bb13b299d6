import MariaDB

/// Tables of one shard in which everything waits at once, and the statements that look there.
///
/// Broker 101 lives, has the group `busy` and most messages; 102 is dead and left some; 103 lives and has other groups. The
/// group `away` is nowhere: all messages are for it, fresh ones by route 7.
struct FullTables: Sendable {
    let rows: Int

    /// Filled by SQL with what brokers write (kite_message.state and .route are explained in sql/): seqs rise by 4,096, as
    /// one broker's do.
    func fill(_ connection: isolated MariaDBConnection) throws {
        let (half, tenth, hundredth) = (rows / 2, rows / 10, rows / 100)
        for statement in [
            messages(rows, state: 1, owner: 101, route: 7, from: Self.fresh),
            messages(tenth, state: 1, owner: 102, route: 7, from: Self.left),
            messages(half, state: 2, owner: 0, route: -1, from: Self.tracked),
            messages(tenth, state: 0, owner: 101, route: 0, from: Self.undecided),
            // An absent group's share of tracked messages; another group's, later and now; some in memory of 101 and of 102.
            deliveries(half, "away", dueAt: "0", owner: 0, step: 1),
            deliveries(tenth, "busy", dueAt: "\(Self.now) + 1000 * seq", owner: 0, step: 5),
            deliveries(hundredth, "busy-2", dueAt: "\(Self.now) - seq", owner: 0, step: 50),
            deliveries(hundredth, "held", dueAt: "9", owner: 101, step: 50),
            deliveries(hundredth, "lost", dueAt: "9", owner: 102, step: 50),
            // Undecided ones to be asked later, and now; decided ones that are kept, and long past.
            transactions(tenth, from: Self.undecided, outcome: 0, "\(Self.now) + IF(seq % 10 = 0, -seq, seq)"),
            transactions(tenth, from: 0, outcome: 1, "\(Self.now) - IF(seq % 100 = 0, 9000000 + seq, seq)"),
            """
            INSERT INTO kite_dead_letter (seq, message_id, group_name, reason, attempts, died_at, kind, expires_at, \
            published_at, deliver_limit, topic, message_type, publisher_group, header, body) SELECT seq, UNHEX(MD5(seq)), \
            'away', 1, 100, \(Self.now) + seq, 17, 1, 1, 100, 'trade', 'away', 'p', REPEAT('h', 80), REPEAT('b', 100) \
            FROM seq_1_to_\(tenth)
            """,
            "INSERT INTO kite_route VALUES (7, 'away', 1), (8, 'busy', 1), (9, 'away', 1), (9, 'busy', 1)",
            """
            INSERT INTO kite_incarnation (number, name, address, state, lease_until, joined_at, connection_ids) \
            VALUES (101, 'b1', 'a', 0, 1 << 62, 1, NULL), (102, 'b2', 'a', 1, 1, 1, NULL), \
            (103, 'b3', 'a', 0, 1 << 62, 1, NULL)
            """,
            "INSERT INTO kite_presence VALUES ('busy', 101, 1), ('busy-2', 101, 1), ('other', 103, 1)",
        ] { try connection.simple(statement) }
        for table in ["message", "delivery", "transaction", "dead_letter", "incarnation", "presence", "route"] {
            _ = try connection.simpleRows("ANALYZE TABLE kite_\(table)")
        }
    }

    private static let now = 1_790_000_000_000
    private static let step = 4_096
    private static let fresh = 1 << 53
    private static let left = 2 << 53
    private static let tracked = 3 << 53
    private static let undecided = 1 << 52

    private func messages(_ count: Int, state: Int, owner: Int, route: Int, from start: Int) -> String {
        """
        INSERT INTO kite_message SELECT \(start) + \(Self.step) * seq, UNHEX(MD5(CONCAT(seq, '-\(start)'))), \(state), 17, \
        \(owner), \(route), \(Self.now) + 604800000, \(Self.now), 100, 'trade', 'away', 'p', REPEAT('h', 80), \
        REPEAT('b', 100), NULL FROM seq_1_to_\(count)
        """
    }

    private func deliveries(_ count: Int, _ group: String, dueAt: String, owner: Int, step: Int) -> String {
        """
        INSERT INTO kite_delivery (seq, group_name, attempts, due_at, last_error, owner) \
        SELECT \(Self.tracked) + \(Self.step * step) * seq, '\(group)', 3, \(dueAt), NULL, \(owner) FROM seq_1_to_\(count)
        """
    }

    private func transactions(_ count: Int, from start: Int, outcome: Int, _ nextCheckAt: String) -> String {
        """
        INSERT INTO kite_transaction SELECT \(start) + \(Self.step) * seq, UNHEX(MD5(CONCAT('t', \(start) + seq))), \(outcome), \
        0, \(nextCheckAt), 'p', 'p', NULL FROM seq_1_to_\(count)
        """
    }

    /// With the page sizes of the workers.
    var statements: [ExplainedStatement] {
        func list(_ start: Int, step: Int = 1) -> [String] { (1...64).map { "\(start + Self.step * step * $0)" } }
        let (fresh, left, tracked) = (list(Self.fresh), list(Self.left), list(Self.tracked, step: 50))
        let middle = "\(Self.fresh + Self.step * rows / 2)"
        let trackedMiddle = "\(Self.tracked + Self.step * rows / 4)"
        let (now, latest) = ("\(Self.now)", "\(1 << 62)")
        let decided = list(0)
        func waits(_ group: String) -> [String] { [group, group, "0", group, "1", now, latest] }
        return [
            .init("recovery", "routesOf", SQL.routesOf, ["'away'"], page: 2),
            .init("recovery", "freshBacklog", SQL.freshBacklog, ["101", "7", "0", "500"], page: 500),
            .init(
                "recovery", "freshBacklog, from the middle", SQL.freshBacklog, ["101", "7", middle, "500"], page: 500),
            .init("recovery", "freshBacklog of the dead", SQL.freshBacklog, ["102", "7", "0", "500"], page: 500),
            .init("recovery", "waitingDeliveries", SQL.waitingDeliveries, ["'away'", "0", "500"], page: 500),
            .init(
                "recovery", "waitingDeliveries, from the middle", SQL.waitingDeliveries,
                ["'away'", trackedMiddle, "500"], page: 500),
            .init("recovery", "dueDeliveries", SQL.dueDeliveries, ["'busy-2'", "1", now, latest, "500"], page: 500),
            .init("recovery", "heldDeliveries", SQL.heldDeliveries, ["101", "0", "500"], page: 500),
            .init("recovery", "load", SQL.load, fresh, page: 64),
            .init("recovery", "claim", SQL.claim, ["101"] + left + ["102"], page: 64),
            .init("recovery", "takeDeliveries", SQL.takeDeliveries, ["101"] + tracked + ["'away'"], page: 64),
            .init("recovery", "takenDeliveries", SQL.takenDeliveries, tracked + ["'held'", "101"], page: 64),
            .init("surveyor", "elsewhere", SQL.elsewhere, ["101"], page: 1),
            .init("surveyor", "waits, none due", SQL.waits, waits("'busy'"), page: 2),
            .init("surveyor", "waits, many wait", SQL.waits, waits("'away'"), page: 2),
            .init("lease watcher", "living", SQL.living, [], page: 2),
            .init("surveyor", "lastMessageOwner", SQL.lastMessageOwner, ["101", "103"], page: 1),
            .init("surveyor", "lastDeliveryOwner", SQL.lastDeliveryOwner, ["101", "103"], page: 1),
            .init("surveyor", "abandoned", SQL.freshBacklog, ["102", "7", "0", "1"], page: 1),
            .init("surveyor", "deliveriesOf", SQL.deliveriesOf, ["102", "0", "500"], page: 500),
            .init("surveyor", "releaseDeliveries", SQL.releaseDeliveries, tracked + ["102"], page: 64 * 5),
            .init("sweeper", "nextRoute", SQL.nextRoute, ["101", "0"], page: 1),
            .init("sweeper", "nextRoute, none left", SQL.nextRoute, ["101", "7"], page: 1),
            .init("sweeper", "expiries", SQL.expiries, ["101", "7", middle, "2000"], page: 2_000),
            .init("sweeper", "deliveryExpiries", SQL.deliveryExpiries, ["0", "500"], page: 500),
            .init(
                "sweeper", "deliveryExpiries, from the middle", SQL.deliveryExpiries, [trackedMiddle, "500"], page: 500),
            .init("sweeper", "freeDeliveries", SQL.freeDeliveries, tracked, page: 64 * 5),
            .init(
                "sweeper", "oldTransactions", SQL.oldTransactions, ["1", "0", "\(Self.now - 8_000_000)", "500"],
                page: 500),
            .init("sweeper", "oldTransactions, all", SQL.oldTransactions, ["1", "0", latest, "500"], page: 500),
            .init("sweeper", "purgeTransactions", SQL.purgeTransactions, decided + ["1", latest], page: 64),
            .init("sweeper", "oldDeadLetters", SQL.oldDeadLetters, ["0", "0", "0", now, "64"], page: 64),
            .init("sweeper", "oldDeadLetters, all", SQL.oldDeadLetters, ["0", "0", "0", latest, "64"], page: 64),
            .init("sweeper", "sizes", SQL.sizes, fresh, page: 64),
            .init("surveyor", "routes", SQL.routes, ["7", "8", "9", "10"], page: 64),
            .init(
                "transactions", "dueTransactions", SQL.dueTransactions, ["0", now, latest, "0", "0", "256"], page: 256),
            .init("transactions", "lockDueTransactions", SQL.lockDueTransactions, fresh, page: 64),
            .init("write-behind", "lockMessages", SQL.lockMessages, tracked, page: 64),
            .init("write-behind", "removeMessages", SQL.removeMessages, fresh + ["101"], page: 64),
            .init("write-behind", "deleteFinished", SQL.deleteFinished, tracked, page: 64),
        ]
    }
}
