import KiteQCore

/// Every statement of the store, so that none escapes the tests that explain and measure them. `%@` stands for a list of placeholders.
///
/// The statistics of a queue's tables are wrong: they do not count deleted rows that are not purged yet, of which there are millions
/// while somebody's snapshot is open, and the table looks empty. So each statement names its index, in the form that both servers
/// heed: `DELETE x FROM … x FORCE INDEX`, for a plain DELETE takes no hint; and with a condition on a column that the index does not
/// have, for else the servers rather read all of an index that covers the statement, however it is forced, and a DELETE waits for
/// whoever has a row in there. `state = 1` says so of fresh messages; where no condition is needed, ``always`` and its like are true
/// of every row (docs/decisions/0053-statements-beside-a-snapshot.md).
enum SQL {
    /// True of every message, and in no index.
    static let always = "kind > 0"
    /// True of every delivery row, and in its indexes by_due alone.
    static let alwaysDue = "due_at > -1"
    static let messageColumns = """
        seq, state, route, owner, message_id, kind, topic, message_type, publisher_group, expires_at, deliver_limit, \
        published_at, header, body, extra
        """

    // MARK: Publishing

    static let insertMessages = """
        INSERT INTO kite_message (seq, message_id, state, kind, owner, route, expires_at, published_at, deliver_limit, \
        topic, message_type, publisher_group, header, body, extra)
        """
    static let insertTransactions = """
        INSERT INTO kite_transaction (seq, message_id, outcome, checks, next_check_at, publisher_group, connection_group, \
        subject)
        """
    static let messagesByID = """
        SELECT seq, message_id FROM kite_message FORCE INDEX (by_id) WHERE message_id IN (%@) AND \(always)
        """
    /// The server reads the bodies for it, and does not send them.
    static let knownMessages = """
        SELECT seq, message_id, state, topic, message_type, publisher_group, OCTET_LENGTH(body), CRC32(body) \
        FROM kite_message FORCE INDEX (by_id) WHERE message_id IN (%@)
        """
    static let outcomesByID = """
        SELECT message_id, outcome, publisher_group, connection_group, subject FROM kite_transaction FORCE INDEX (by_id) \
        WHERE message_id IN (%@)
        """
    /// Fails where somebody has locked one of them, there or about to be.
    static let lockByID = """
        SELECT state FROM kite_message FORCE INDEX (by_id) WHERE message_id IN (%@) FOR UPDATE NOWAIT
        """

    static let insertRoutes = "INSERT INTO kite_route (route_id, group_name, persistent)"
    static let keepRoute = "ON DUPLICATE KEY UPDATE persistent = persistent"
    static let route = "SELECT group_name, persistent FROM kite_route WHERE route_id = ?"
    static let routes = """
        SELECT route_id, group_name, persistent FROM kite_route FORCE INDEX (PRIMARY) WHERE route_id IN (%@)
        """
    static let deleteRoute = "DELETE FROM kite_route WHERE route_id = ?"
    static let subjects = """
        SELECT DISTINCT topic, message_type FROM kite_message FORCE INDEX (PRIMARY) WHERE seq IN (%@)
        """

    // MARK: Transactions

    static let lockTransactions = """
        SELECT seq, message_id, publisher_group, connection_group, outcome, checks, next_check_at \
        FROM kite_transaction FORCE INDEX (by_id) WHERE message_id IN (%@) ORDER BY seq FOR UPDATE
        """
    static let lockHalfMessages = """
        SELECT seq, topic, message_type FROM kite_message FORCE INDEX (PRIMARY) WHERE seq IN (%@) AND state = 0 \
        ORDER BY seq FOR UPDATE
        """
    static let commitMessages = """
        UPDATE kite_message FORCE INDEX (PRIMARY) SET state = 1, route = ?, owner = ? WHERE seq IN (%@) AND state = 0
        """
    static let deleteHalfMessages = """
        DELETE m FROM kite_message m FORCE INDEX (PRIMARY) WHERE m.seq IN (%@) AND m.state = 0
        """
    static let decideTransactions = """
        UPDATE kite_transaction FORCE INDEX (PRIMARY) SET outcome = ?, next_check_at = ? \
        WHERE seq IN (%@) AND outcome = 0
        """
    static let dueTransactions = """
        SELECT t.connection_group, t.checks, t.next_check_at, m.seq, m.message_id, m.kind, m.topic, \
        m.message_type, m.publisher_group, m.expires_at, m.deliver_limit, m.published_at, m.header \
        FROM kite_transaction t FORCE INDEX (by_check) STRAIGHT_JOIN kite_message m FORCE INDEX (PRIMARY) ON m.seq = t.seq \
        WHERE t.outcome = 0 AND (t.next_check_at BETWEEN ? AND ? OR t.next_check_at > ?) \
        AND (t.next_check_at > ? OR t.seq > ?) \
        ORDER BY t.next_check_at, t.seq LIMIT ?
        """
    static let lockDueTransactions = """
        SELECT seq, next_check_at FROM kite_transaction FORCE INDEX (PRIMARY) WHERE seq IN (%@) AND outcome = 0 \
        ORDER BY seq FOR UPDATE SKIP LOCKED
        """
    static let reschedule = """
        UPDATE kite_transaction SET next_check_at = ?, checks = ? WHERE seq = ?
        """
    static let park = """
        UPDATE kite_transaction SET outcome = 3, next_check_at = ? WHERE seq = ?
        """
    static let checksOf = "SELECT checks FROM kite_transaction WHERE seq = ?"
    /// The letters of half messages that nobody decided.
    static let lockParked = """
        SELECT id, seq, message_id, attempts, topic, message_type, publisher_group FROM kite_dead_letter \
        FORCE INDEX (by_id) WHERE message_id IN (%@) AND reason = 3 ORDER BY id FOR UPDATE
        """
    static let restoreCommitted = """
        INSERT INTO kite_message (seq, message_id, state, kind, owner, route, expires_at, published_at, deliver_limit, \
        topic, message_type, publisher_group, header, body, extra) \
        SELECT seq, message_id, 1, kind, ?, ?, GREATEST(expires_at, ?), published_at, deliver_limit, topic, message_type, \
        publisher_group, header, body, extra FROM kite_dead_letter WHERE id = ?
        """
    /// Where the row was purged before: the decision is remembered like any other.
    static let rememberDecision = """
        INSERT INTO kite_transaction (seq, message_id, outcome, checks, next_check_at, publisher_group, connection_group, \
        subject) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON DUPLICATE KEY UPDATE checks = checks
        """

    // MARK: Settling

    static let removeMessages = """
        DELETE m FROM kite_message m FORCE INDEX (PRIMARY) WHERE m.seq IN (%@) AND m.owner = ? AND m.state = 1
        """
    static let lockMessages = """
        SELECT seq, state, owner, expires_at FROM kite_message FORCE INDEX (PRIMARY) WHERE seq IN (%@) \
        ORDER BY seq FOR UPDATE
        """
    /// Of the rows that are there, those that nobody has locked.
    static let freeMessages = """
        SELECT seq FROM kite_message FORCE INDEX (PRIMARY) WHERE seq IN (%@) AND \(always) ORDER BY seq FOR UPDATE SKIP LOCKED
        """
    static let existing = "SELECT seq FROM kite_message FORCE INDEX (PRIMARY) WHERE seq IN (%@) AND \(always)"
    /// The server reads the bodies for it, and does not send them.
    static let sizes = """
        SELECT seq, OCTET_LENGTH(header) + OCTET_LENGTH(body) + COALESCE(OCTET_LENGTH(extra), 0) \
        FROM kite_message FORCE INDEX (PRIMARY) WHERE seq IN (%@)
        """
    static let ownDeliveries = """
        SELECT seq, group_name FROM kite_delivery FORCE INDEX (PRIMARY) WHERE seq IN (%@) AND owner = ?
        """
    static let bury = """
        INSERT INTO kite_dead_letter (seq, message_id, group_name, reason, attempts, last_error, died_at, kind, \
        expires_at, published_at, deliver_limit, topic, message_type, publisher_group, header, body, extra) \
        SELECT seq, message_id, ?, ?, ?, ?, ?, kind, expires_at, published_at, deliver_limit, topic, message_type, \
        publisher_group, header, body, extra FROM kite_message WHERE seq = ? \
        ON DUPLICATE KEY UPDATE died_at = VALUES(died_at), attempts = VALUES(attempts)
        """
    static let deleteDeliveries = """
        DELETE d FROM kite_delivery d FORCE INDEX (PRIMARY) WHERE d.seq IN (%@) AND d.group_name = ? AND d.\(alwaysDue)
        """
    static let upsertDeliveries = "INSERT INTO kite_delivery (seq, group_name, attempts, due_at, last_error, owner)"
    static let overwriteDelivery = """
        ON DUPLICATE KEY UPDATE attempts = VALUES(attempts), due_at = VALUES(due_at), last_error = VALUES(last_error), \
        owner = VALUES(owner)
        """
    static let trackMessages = """
        UPDATE kite_message FORCE INDEX (PRIMARY) SET state = 2, route = -1, owner = 0 \
        WHERE seq IN (%@) AND owner = ? AND state = 1
        """
    /// A join, for of a NOT EXISTS MariaDB makes a table of all delivery rows, and locks them.
    static let deleteFinished = """
        DELETE m FROM kite_message m FORCE INDEX (PRIMARY) \
        LEFT JOIN kite_delivery d FORCE INDEX (PRIMARY) ON d.seq = m.seq \
        WHERE m.seq IN (%@) AND m.state = 2 AND d.seq IS NULL
        """

    /// Those that died of attempts or of time: a person is to decide about the others.
    static let retractLetters = """
        DELETE l FROM kite_dead_letter l FORCE INDEX (by_message) \
        WHERE l.seq IN (%@) AND l.group_name = ? AND l.reason IN (1, 2)
        """

    // MARK: Recovery

    static let routesOf = "SELECT route_id FROM kite_route WHERE group_name = ? ORDER BY route_id"

    // Where a page begins at a seq, the index is forced: else MariaDB takes its equal columns alone, and reads a backlog from
    // its start for each page.
    static let freshBacklog = """
        SELECT seq FROM kite_message FORCE INDEX (by_route) WHERE owner = ? AND route = ? AND seq > ? AND state = 1 \
        ORDER BY seq LIMIT ?
        """
    static let waitingDeliveries = """
        SELECT seq FROM kite_delivery FORCE INDEX (by_due) \
        WHERE group_name = ? AND due_at = 0 AND seq > ? AND owner = 0 ORDER BY seq LIMIT ?
        """
    /// From a time up to now, or later than any row is due that was written by a right clock; not those that are held.
    static let isDue = """
        (due_at BETWEEN ? AND ? OR due_at > ? AND due_at < \(Settlement.Pending.heldDueAt)) AND owner = 0
        """
    static let dueDeliveries = """
        SELECT seq, due_at FROM kite_delivery FORCE INDEX (by_due) WHERE group_name = ? AND \(isDue) \
        ORDER BY due_at, seq LIMIT ?
        """
    static let load = "SELECT \(messageColumns) FROM kite_message FORCE INDEX (PRIMARY) WHERE seq IN (%@) ORDER BY seq"
    static let takeDeliveries = """
        UPDATE kite_delivery FORCE INDEX (PRIMARY) SET owner = ?, due_at = \(Settlement.Pending.heldDueAt) \
        WHERE seq IN (%@) AND group_name = ? AND owner = 0
        """
    static let takenDeliveries = """
        SELECT seq, attempts FROM kite_delivery FORCE INDEX (PRIMARY) WHERE seq IN (%@) AND group_name = ? AND owner = ?
        """
    static let claim = """
        UPDATE kite_message FORCE INDEX (PRIMARY) SET owner = ? WHERE seq IN (%@) AND owner = ? AND state = 1
        """
    static let owned = "SELECT seq FROM kite_message FORCE INDEX (PRIMARY) WHERE seq IN (%@) AND owner = ?"
    /// In the order of seq the optimizer may prefer the primary key, and read past a million rows that are nobody's.
    static let heldDeliveries = """
        SELECT seq, group_name, attempts FROM kite_delivery FORCE INDEX (by_owner) \
        WHERE owner = ? AND seq > ? ORDER BY seq LIMIT ?
        """

    // MARK: Sweeping

    static let nextRoute = """
        SELECT route, seq FROM kite_message FORCE INDEX (by_route) WHERE owner = ? AND route > ? AND state = 1 \
        ORDER BY route, seq LIMIT 1
        """
    static let expiries = """
        SELECT seq, expires_at FROM kite_message FORCE INDEX (by_route) \
        WHERE owner = ? AND route = ? AND seq > ? AND state = 1 ORDER BY seq LIMIT ?
        """
    static let deliveryExpiries = """
        SELECT d.seq, m.expires_at FROM kite_delivery d FORCE INDEX (by_owner) \
        STRAIGHT_JOIN kite_message m FORCE INDEX (PRIMARY) ON m.seq = d.seq \
        WHERE d.owner = 0 AND d.seq > ? AND d.\(alwaysDue) ORDER BY d.seq LIMIT ?
        """
    static let trackedAfter = """
        SELECT seq FROM kite_message FORCE INDEX (by_route) WHERE owner = 0 AND route = \(Route.trackedID) AND seq > ? \
        AND state = 2 ORDER BY seq LIMIT ?
        """
    /// With a column that the key lacks, and without DISTINCT: MySQL goes through the whole index else.
    static let owed = "SELECT seq, attempts FROM kite_delivery FORCE INDEX (PRIMARY) WHERE seq IN (%@)"
    static let names = "SELECT seq, message_id, topic FROM kite_message FORCE INDEX (PRIMARY) WHERE seq IN (%@)"
    static let freeDeliveries = """
        SELECT seq, group_name, attempts, last_error FROM kite_delivery FORCE INDEX (PRIMARY) WHERE seq IN (%@) AND owner = 0
        """
    static let oldTransactions = """
        SELECT seq, next_check_at, checks FROM kite_transaction FORCE INDEX (by_check) \
        WHERE outcome = ? AND next_check_at >= ? AND next_check_at < ? ORDER BY next_check_at, seq LIMIT ?
        """
    /// Those that are as they were when they were found.
    static let purgeTransactions = """
        DELETE t FROM kite_transaction t FORCE INDEX (PRIMARY) WHERE t.seq IN (%@) AND t.outcome = ? AND t.next_check_at < ?
        """
    /// A letter that goes is in the binary log with its body, so its size is asked for first.
    static let oldDeadLetters = """
        SELECT died_at, id, OCTET_LENGTH(header) + OCTET_LENGTH(body) + COALESCE(OCTET_LENGTH(extra), 0) \
        FROM kite_dead_letter FORCE INDEX (by_time) \
        WHERE (died_at = ? AND id > ? OR died_at > ?) AND died_at < ? ORDER BY died_at, id LIMIT ?
        """

    // MARK: Ownership (kite_incarnation and kite_presence have a few rows for each broker)

    static let serverNow = "CAST(UNIX_TIMESTAMP(UTC_TIMESTAMP(3)) * 1000 AS SIGNED)"
    static let now = "SELECT \(serverNow)"
    static let livesOf = """
        SELECT number, lease_until, name, connection_ids, address FROM kite_incarnation WHERE name = ? AND state = 0
        """
    static let lockLivesOf = "SELECT number FROM kite_incarnation WHERE name = ? AND state = 0 FOR UPDATE"
    static let insertIncarnation = """
        INSERT INTO kite_incarnation (number, name, address, state, lease_until, joined_at) \
        VALUES (?, ?, ?, 0, \(serverNow) + ?, ?)
        """
    /// With the tag, so that a schema without it is met before anything is done.
    static let incarnations = "SELECT number, state, tag FROM kite_incarnation"
    static let takeBack = "DELETE FROM kite_incarnation WHERE number = ?"
    /// What a life left: nothing, where neither has a row.
    static let anyMessageOf =
        "SELECT seq FROM kite_message FORCE INDEX (by_route) WHERE owner = ? AND \(always) LIMIT 1"
    static let anyDeliveryOf =
        "SELECT seq FROM kite_delivery FORCE INDEX (by_owner) WHERE owner = ? AND \(alwaysDue) LIMIT 1"
    static let lastMessage = """
        SELECT seq FROM kite_message FORCE INDEX (PRIMARY) WHERE seq BETWEEN ? AND ? AND \(always) ORDER BY seq DESC LIMIT 1
        """
    /// With the subject, so that a schema without it is met before anything is done.
    static let lastTransaction = """
        SELECT seq, subject FROM kite_transaction FORCE INDEX (PRIMARY) WHERE seq BETWEEN ? AND ? ORDER BY seq DESC LIMIT 1
        """
    static let lastDeadLetter = """
        SELECT seq, reason FROM kite_dead_letter FORCE INDEX (by_message) WHERE seq BETWEEN ? AND ? ORDER BY seq DESC LIMIT 1
        """
    static let connection = "SELECT ID FROM information_schema.processlist WHERE ID = ?"
    static let connections = "SELECT ID FROM performance_schema.processlist WHERE ID IN (?, ?)"
    static let renew = """
        UPDATE kite_incarnation SET lease_until = \(serverNow) + ?, connection_ids = ? WHERE number = ? AND state = 0 \
        AND lease_until >= ?
        """
    static let leaseOf = "SELECT lease_until FROM kite_incarnation WHERE number = ? AND state = 0"
    static let uptime = "SHOW GLOBAL STATUS LIKE 'Uptime'"
    static let living = "SELECT number, lease_until, name, connection_ids FROM kite_incarnation WHERE state = 0"
    static let livingNow = """
        SELECT number, connection_ids FROM kite_incarnation FORCE INDEX (by_state) WHERE state = 0 AND lease_until > \(serverNow)
        """
    static let isLiving = "SELECT number FROM kite_incarnation WHERE number = ? AND state = 0"
    static let declareDead = """
        UPDATE kite_incarnation SET state = 1 WHERE number = ? AND state = 0 AND lease_until = ?
        """
    static let endLife = "UPDATE kite_incarnation SET state = ? WHERE number = ? AND state = 0"
    static let livingAmong = "SELECT number FROM kite_incarnation WHERE number IN (%@) AND state = 0"
    /// The greatest owner of anything between two others: one dive into an index for each. Downwards, for upwards the servers run into
    /// the deleted rows beyond the end of the range before they look at the end.
    static let lastMessageOwner = """
        SELECT owner FROM kite_message FORCE INDEX (by_route) WHERE owner > ? AND owner < ? AND \(always) \
        ORDER BY owner DESC LIMIT 1
        """
    static let lastDeliveryOwner = """
        SELECT owner FROM kite_delivery FORCE INDEX (by_owner) WHERE owner > ? AND owner < ? AND \(alwaysDue) \
        ORDER BY owner DESC LIMIT 1
        """
    static let deliveriesOf = """
        SELECT seq FROM kite_delivery FORCE INDEX (by_owner) WHERE owner = ? AND seq >= ? AND \(alwaysDue) ORDER BY seq LIMIT ?
        """
    /// Due since long, whatever the clocks say.
    static let releaseDeliveries = """
        UPDATE kite_delivery FORCE INDEX (PRIMARY) SET owner = 0, due_at = 1 WHERE seq IN (%@) AND owner = ?
        """
    static let longDead = """
        SELECT number FROM kite_incarnation WHERE state IN (1, 2) AND lease_until < \(serverNow) - 3600000
        """
    static let forgetIncarnation = "DELETE FROM kite_incarnation WHERE number = ? AND state IN (1, 2)"

    static let insertPresence = "INSERT INTO kite_presence (group_name, incarnation, since)"
    static let keepPresence = "ON DUPLICATE KEY UPDATE since = since"
    static let deletePresence = """
        DELETE p FROM kite_presence p FORCE INDEX (PRIMARY) \
        WHERE p.group_name IN (%@) AND p.incarnation = ? AND p.since > -1
        """
    static let presenceOf = "SELECT group_name FROM kite_presence WHERE incarnation = ?"
    static let elsewhere = """
        SELECT DISTINCT p.group_name FROM kite_incarnation i JOIN kite_presence p ON p.incarnation = i.number \
        WHERE i.state = 0 AND i.number <> ?
        """
    /// With the groups of `kite_presence` joined, no range of due_at would be used, and all of a group be read: so each group is
    /// a SELECT with constants of its own. Some of them in one statement, for each is a round trip.
    static let waits = """
        SELECT ?, \
        (SELECT d.seq FROM kite_delivery d FORCE INDEX (by_due) \
        WHERE d.group_name = ? AND d.due_at = 0 AND d.seq > ? AND d.owner = 0 ORDER BY d.seq LIMIT 1), \
        (SELECT d.due_at FROM kite_delivery d FORCE INDEX (by_due) \
        WHERE d.group_name = ? AND \(isDue) ORDER BY d.due_at, d.seq LIMIT 1)
        """
    static let manyWait = Array(repeating: waits, count: manyGroups).joined(separator: " UNION ALL ")
    static let manyGroups = 32

    // MARK: Bindings and slots

    static let slots = "SELECT slot, shard FROM kite_slot ORDER BY slot"
    /// To the second: whoever makes a table anew within one is found by the rows.
    static let tablesMade = """
        SELECT TABLE_NAME, CREATE_TIME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() \
        AND TABLE_NAME IN ('kite_message', 'kite_delivery', 'kite_route', 'kite_presence')
        """
    static let savedTopics = """
        SELECT topic FROM kite_binding FORCE INDEX (PRIMARY) WHERE topic IN (%@) AND number = 0 AND kind < 255
        """
    static let deleteBindings = "DELETE FROM kite_binding WHERE topic = ?"
    static let insertBindings = """
        INSERT INTO kite_binding (topic, number, group_name, message_type, kind, watermark, persistent)
        """
    static let bindings = """
        SELECT number, group_name, message_type, kind, watermark, persistent FROM kite_binding WHERE topic = ? ORDER BY number
        """

    /// A statement whose list takes so many values; see `Ladder.listSize`.
    static func list(_ statement: String, _ size: Int) -> String {
        let marks = Array(repeating: "?", count: size).joined(separator: ",")
        guard let place = statement.range(of: "%@") else { return statement }
        return statement.replacingCharacters(in: place, with: marks)
    }
}

extension String {
    fileprivate func range(of text: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            start = index(after: start)
        }
        return nil
    }

    fileprivate func replacingCharacters(in range: Range<Index>, with text: String) -> String {
        String(self[..<range.lowerBound]) + text + String(self[range.upperBound...])
    }
}
