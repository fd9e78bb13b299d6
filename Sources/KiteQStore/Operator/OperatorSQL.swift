import KiteQCore

/// Every statement of the operators' side, explained by the same test as those of ``SQL``. `%@` stands for a list of placeholders.
///
/// A count is of a bounded SELECT, so that it reads no more rows than its bound. Where a range is what bounds a statement, its
/// index is forced, and it does not cover the statement (see ``SQL``): the statistics of a queue's tables are wrong every other time.
enum OperatorSQL {
    // MARK: Brokers

    static let lives = """
        SELECT number, name, address, state, joined_at, CAST(lease_until - \(SQL.serverNow) AS SIGNED) \
        FROM kite_incarnation ORDER BY number DESC LIMIT ?
        """
    static let presence = "SELECT group_name, incarnation FROM kite_presence ORDER BY group_name, incarnation LIMIT ?"
    static let presenceOf = """
        SELECT p.incarnation FROM kite_presence p JOIN kite_incarnation i ON i.number = p.incarnation \
        WHERE p.group_name = ? AND i.state = 0 AND p.since > -1
        """
    static let names = "SELECT number, name FROM kite_incarnation FORCE INDEX (PRIMARY) WHERE number IN (%@)"

    // MARK: Shards

    static let tables = """
        SELECT table_name, COALESCE(table_rows, 0), COALESCE(data_length + index_length, 0) \
        FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name LIKE 'kite\\_%' \
        ORDER BY table_name LIMIT 100
        """
    static let historyListLength = """
        SELECT `count` FROM information_schema.innodb_metrics WHERE name = 'trx_rseg_history_len'
        """
    static let countRoute = """
        SELECT COUNT(*) FROM (SELECT seq FROM kite_message FORCE INDEX (by_route) \
        WHERE owner = ? AND route = ? AND \(SQL.always) LIMIT ?) x
        """
    static let countFresh = """
        SELECT COUNT(*) FROM (SELECT seq FROM kite_message FORCE INDEX (by_route) \
        WHERE owner = ? AND route > 0 AND state = 1 LIMIT ?) x
        """
    static let oldestMessage = """
        SELECT seq FROM kite_message FORCE INDEX (PRIMARY) WHERE seq > ? AND \(SQL.always) ORDER BY seq LIMIT 1
        """

    // MARK: Groups

    static let routesOf = "SELECT route_id FROM kite_route WHERE group_name = ? ORDER BY route_id LIMIT ?"
    static let freshOfRoute = """
        SELECT COUNT(*), MIN(seq) FROM (SELECT seq FROM kite_message FORCE INDEX (by_route) \
        WHERE owner = ? AND route = ? AND seq > ? AND state = 1 ORDER BY seq LIMIT ?) x
        """
    static let deliveries = """
        SELECT COUNT(*), MIN(seq), MIN(due_at) FROM (SELECT seq, due_at FROM kite_delivery FORCE INDEX (by_due) \
        WHERE group_name = ? AND due_at BETWEEN ? AND ? AND attempts < 65535 ORDER BY due_at, seq LIMIT ?) x
        """
    static let nextGroup = """
        SELECT (SELECT group_name FROM kite_route FORCE INDEX (by_group) WHERE group_name > ? \
        ORDER BY group_name LIMIT 1), \
        (SELECT group_name FROM kite_presence FORCE INDEX (PRIMARY) WHERE group_name > ? ORDER BY group_name LIMIT 1), \
        (SELECT group_name FROM kite_delivery FORCE INDEX (by_due) WHERE group_name > ? ORDER BY group_name LIMIT 1)
        """

    // MARK: Topics

    static let oldestTopics = """
        SELECT topic, state, COUNT(*), MAX(seq) FROM (SELECT topic, state, seq FROM kite_message FORCE INDEX (PRIMARY) \
        WHERE seq > ? ORDER BY seq LIMIT ?) x GROUP BY topic, state
        """
    static let newestTopics = """
        SELECT topic, state, COUNT(*), MAX(seq) FROM (SELECT topic, state, seq FROM kite_message FORCE INDEX (PRIMARY) \
        WHERE seq > ? ORDER BY seq DESC LIMIT ?) x GROUP BY topic, state
        """

    // MARK: Messages

    static let summary = """
        seq, message_id, state, kind, topic, message_type, publisher_group, owner, published_at, expires_at, deliver_limit
        """
    static let message = """
        SELECT \(summary), route, header, LEFT(body, ?), LENGTH(body) FROM kite_message FORCE INDEX (by_id) \
        WHERE message_id = ?
        """
    static let deliveriesOfMessage = """
        SELECT group_name, attempts, due_at, last_error, owner FROM kite_delivery FORCE INDEX (PRIMARY) \
        WHERE seq = ? ORDER BY group_name LIMIT ?
        """
    static let transaction = """
        SELECT outcome, checks, next_check_at, publisher_group, connection_group FROM kite_transaction WHERE message_id = ?
        """
    static let letterContent = "SELECT header, LEFT(body, ?), LENGTH(body) FROM kite_dead_letter WHERE id = ?"

    static let messagesUp = """
        SELECT \(summary) FROM kite_message FORCE INDEX (PRIMARY) WHERE seq > ? AND seq < ? ORDER BY seq LIMIT ?
        """
    static let messagesDown = """
        SELECT \(summary) FROM kite_message FORCE INDEX (PRIMARY) WHERE seq > ? AND seq < ? ORDER BY seq DESC LIMIT ?
        """
    static let routeUp = """
        SELECT seq FROM kite_message FORCE INDEX (by_route) \
        WHERE owner = ? AND route = ? AND seq > ? AND seq < ? AND \(SQL.always) ORDER BY seq LIMIT ?
        """
    static let routeDown = """
        SELECT seq FROM kite_message FORCE INDEX (by_route) \
        WHERE owner = ? AND route = ? AND seq > ? AND seq < ? AND \(SQL.always) ORDER BY seq DESC LIMIT ?
        """
    static let deliveriesUp = """
        SELECT seq, group_name FROM kite_delivery FORCE INDEX (PRIMARY) \
        WHERE seq > ? AND seq < ? AND \(SQL.alwaysDue) ORDER BY seq, group_name LIMIT ?
        """
    static let deliveriesDown = """
        SELECT seq, group_name FROM kite_delivery FORCE INDEX (PRIMARY) \
        WHERE seq > ? AND seq < ? AND \(SQL.alwaysDue) ORDER BY seq DESC, group_name DESC LIMIT ?
        """
    static let summaries = "SELECT \(summary) FROM kite_message FORCE INDEX (PRIMARY) WHERE seq IN (%@)"

    // MARK: Transactions

    private static let undecided = """
        SELECT t.message_id, t.seq, m.topic, m.message_type, t.publisher_group, t.connection_group, m.published_at, \
        m.expires_at, t.checks, t.next_check_at \
        FROM kite_transaction t FORCE INDEX (by_check) \
        STRAIGHT_JOIN kite_message m FORCE INDEX (PRIMARY) ON m.seq = t.seq WHERE t.outcome = 0
        """
    static let openTransactions = """
        \(undecided) AND t.next_check_at >= ? AND (t.next_check_at > ? OR t.seq > ?) \
        ORDER BY t.next_check_at, t.seq LIMIT ?
        """
    static let lastOpenTransactions = "\(undecided) ORDER BY t.next_check_at DESC, t.seq DESC LIMIT ?"
    static let undecidedByGroup = """
        SELECT connection_group, COUNT(*) FROM (SELECT connection_group FROM kite_transaction FORCE INDEX (by_check) \
        WHERE outcome = 0 LIMIT ?) x GROUP BY connection_group
        """
    static let outcome = "SELECT outcome FROM kite_transaction WHERE message_id = ?"
    static let lockOutcome = "SELECT outcome, seq FROM kite_transaction WHERE message_id = ? FOR UPDATE"
    /// Nobody's at once: each of its groups has a delivery row.
    static let commitTracked = "UPDATE kite_message SET state = 2, route = -1, owner = 0 WHERE seq = ? AND state = 0"

    // MARK: Dead letters

    /// True of every one, and in no index.
    private static let letters = "kind > 0"
    static let countByGroup = """
        SELECT COUNT(*) FROM (SELECT id FROM kite_dead_letter FORCE INDEX (by_group) \
        WHERE group_name = ? AND reason = ? AND \(letters) LIMIT ?) x
        """
    static let countByTopic = """
        SELECT COUNT(*) FROM (SELECT id FROM kite_dead_letter FORCE INDEX (by_topic) \
        WHERE topic = ? AND reason = ? AND \(letters) LIMIT ?) x
        """
    static let countByTime = """
        SELECT COUNT(*) FROM (SELECT id FROM kite_dead_letter FORCE INDEX (by_time) \
        WHERE died_at >= ? AND died_at < ? AND \(letters) LIMIT ?) x
        """

    // MARK: Paused groups

    static let pausedGroups = """
        SELECT group_name, paused_at, paused_by, reason FROM kite_group ORDER BY group_name LIMIT ?
        """
    static let pauseOf = "SELECT group_name, paused_at, paused_by, reason FROM kite_group WHERE group_name = ?"
    static let pause = """
        INSERT INTO kite_group (group_name, paused_at, paused_by, reason) VALUES (?, \(SQL.serverNow), ?, ?) \
        ON DUPLICATE KEY UPDATE paused_at = paused_at
        """
    static let resume = "DELETE FROM kite_group WHERE group_name = ?"

    // MARK: Samples

    static let insertSamples = """
        INSERT INTO kite_sample (at, broker, topic, published, committed, delivered, acknowledged, dead_lettered)
        """
    static let addSamples = """
        ON DUPLICATE KEY UPDATE published = published + VALUES(published), committed = committed + VALUES(committed), \
        delivered = delivered + VALUES(delivered), acknowledged = acknowledged + VALUES(acknowledged), \
        dead_lettered = dead_lettered + VALUES(dead_lettered)
        """
    private static let sums = """
        at - at % ? AS step_at, SUM(published), SUM(committed), SUM(delivered), SUM(acknowledged), SUM(dead_lettered)
        """
    static let series = """
        SELECT \(sums) FROM kite_sample FORCE INDEX (PRIMARY) WHERE at >= ? AND at < ? \
        GROUP BY step_at
        """
    static let seriesOfTopics = """
        SELECT \(sums) FROM kite_sample FORCE INDEX (PRIMARY) WHERE at >= ? AND at < ? AND topic IN (%@) \
        GROUP BY step_at
        """
    static let purgeSamples = "DELETE FROM kite_sample WHERE at < ? ORDER BY at LIMIT ?"

    // MARK: Audit log

    static let insertAudit = """
        INSERT INTO kite_audit (at, actor, role, remote, action, target, detail, outcome) \
        VALUES (\(SQL.serverNow), ?, ?, ?, ?, ?, ?, ?)
        """
    static let audit = """
        SELECT id, at, actor, role, remote, action, target, detail, outcome FROM kite_audit \
        WHERE id < ? ORDER BY id DESC LIMIT ?
        """
    static let purgeAudit = "DELETE FROM kite_audit WHERE at < ? ORDER BY at, id LIMIT ?"
}
