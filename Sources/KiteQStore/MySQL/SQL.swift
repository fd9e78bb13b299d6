/// Every statement of the store, so that none escapes the test that explains them. `%@` stands for a list of placeholders.
enum SQL {
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
        INSERT INTO kite_transaction (seq, message_id, outcome, checks, next_check_at, publisher_group, connection_group)
        """
    static let seqsByID = "SELECT seq, message_id FROM kite_message WHERE message_id IN (%@)"
    static let outcomesByID = "SELECT seq, message_id, outcome FROM kite_transaction WHERE message_id IN (%@)"

    static let insertRoutes = "INSERT INTO kite_route (route_id, group_name, persistent)"
    static let keepRoute = "ON DUPLICATE KEY UPDATE persistent = persistent"
    static let route = "SELECT group_name, persistent FROM kite_route WHERE route_id = ?"

    // MARK: Transactions

    static let lockTransactions = """
        SELECT seq, message_id, publisher_group, connection_group, outcome FROM kite_transaction \
        WHERE message_id IN (%@) ORDER BY seq FOR UPDATE
        """
    static let lockHalfMessages = """
        SELECT seq, topic, message_type FROM kite_message WHERE seq IN (%@) AND state = 0 ORDER BY seq FOR UPDATE
        """
    static let commitMessages = """
        UPDATE kite_message SET state = 1, route = ?, owner = ? WHERE seq IN (%@) AND state = 0
        """
    static let deleteHalfMessages = "DELETE FROM kite_message WHERE seq IN (%@) AND state = 0"
    static let decideTransactions = """
        UPDATE kite_transaction SET outcome = ?, next_check_at = ? WHERE seq IN (%@) AND outcome = 0
        """
    static let dueTransactions = """
        SELECT t.connection_group, t.checks, t.next_check_at, m.seq, m.owner, m.message_id, m.kind, m.topic, \
        m.message_type, m.publisher_group, m.expires_at, m.deliver_limit, m.published_at, m.header \
        FROM kite_transaction t JOIN kite_message m ON m.seq = t.seq \
        WHERE t.outcome = 0 AND t.next_check_at <= ? ORDER BY t.next_check_at, t.seq LIMIT ?
        """
    static let reschedule = """
        UPDATE kite_transaction SET next_check_at = ?, checks = ? WHERE seq = ? AND outcome = 0 AND next_check_at = ?
        """
    static let park = """
        UPDATE kite_transaction SET outcome = 3, next_check_at = ? WHERE seq = ? AND outcome = 0 AND next_check_at = ?
        """
    static let checksOf = "SELECT checks FROM kite_transaction WHERE seq = ?"

    // MARK: Settling

    static let removeMessages = "DELETE FROM kite_message WHERE seq IN (%@) AND owner = ? AND state = 1"
    static let lockMessages = """
        SELECT seq, state FROM kite_message WHERE seq IN (%@) AND owner = ? ORDER BY seq FOR UPDATE
        """
    static let existing = "SELECT seq FROM kite_message WHERE seq IN (%@)"
    static let bury = """
        INSERT INTO kite_dead_letter (seq, message_id, group_name, reason, attempts, last_error, died_at, kind, \
        expires_at, published_at, deliver_limit, topic, message_type, publisher_group, header, body, extra) \
        SELECT seq, message_id, ?, ?, ?, ?, ?, kind, expires_at, published_at, deliver_limit, topic, message_type, \
        publisher_group, header, body, extra FROM kite_message WHERE seq = ? \
        ON DUPLICATE KEY UPDATE died_at = VALUES(died_at), attempts = VALUES(attempts)
        """
    static let deleteDeliveries = "DELETE FROM kite_delivery WHERE seq IN (%@) AND group_name = ?"
    static let upsertDeliveries = "INSERT INTO kite_delivery (seq, group_name, attempts, due_at, last_error)"
    static let overwriteDelivery = """
        ON DUPLICATE KEY UPDATE attempts = VALUES(attempts), due_at = VALUES(due_at), last_error = VALUES(last_error)
        """
    static let trackMessages = """
        UPDATE kite_message SET state = 2, route = -1 WHERE seq IN (%@) AND owner = ? AND state = 1
        """
    static let deleteFinished = """
        DELETE FROM kite_message WHERE seq IN (%@) AND owner = ? AND state = 2 \
        AND NOT EXISTS (SELECT 1 FROM kite_delivery d WHERE d.seq = kite_message.seq)
        """

    // MARK: Recovery

    static let routesOf = "SELECT route_id FROM kite_route WHERE group_name = ? ORDER BY route_id"
    static let freshBacklog = """
        SELECT seq FROM kite_message WHERE owner = ? AND route = ? AND seq > ? ORDER BY seq LIMIT ?
        """
    static let waitingDeliveries = """
        SELECT d.seq, d.attempts, d.due_at, m.owner FROM kite_delivery d JOIN kite_message m ON m.seq = d.seq \
        WHERE d.group_name = ? AND d.due_at = 0 AND d.seq > ? ORDER BY d.seq LIMIT ?
        """
    static let dueDeliveries = """
        SELECT d.seq, d.attempts, d.due_at, m.owner FROM kite_delivery d JOIN kite_message m ON m.seq = d.seq \
        WHERE d.group_name = ? AND d.due_at >= ? AND d.due_at <= ? AND (d.due_at > ? OR d.seq > ?) \
        ORDER BY d.due_at, d.seq LIMIT ?
        """
    static let load = "SELECT \(messageColumns) FROM kite_message WHERE seq IN (%@) ORDER BY seq"
    static let loadDeliveries = "SELECT seq, group_name, attempts, due_at FROM kite_delivery WHERE seq IN (%@)"
    static let claim = "UPDATE kite_message SET owner = ? WHERE seq IN (%@) AND owner = ?"
    static let owned = "SELECT seq FROM kite_message WHERE seq IN (%@) AND owner = ?"

    static let purgeTransactions = """
        DELETE FROM kite_transaction WHERE outcome = ? AND next_check_at < ? ORDER BY next_check_at, seq LIMIT ?
        """
    static let purgeDeadLetters = "DELETE FROM kite_dead_letter WHERE died_at < ? ORDER BY died_at, id LIMIT ?"

    // MARK: Ownership (a few rows for each broker)

    static let deadIncarnations = "SELECT number FROM kite_incarnation WHERE state IN (1, 2)"
    static let longDead = "SELECT number FROM kite_incarnation WHERE state IN (1, 2) AND lease_until < ?"
    static let livesOf = "SELECT number FROM kite_incarnation WHERE name = ? AND state = 0 FOR UPDATE"
    static let declareDead = "UPDATE kite_incarnation SET state = 1 WHERE name = ? AND state = 0"
    static let insertIncarnation = """
        INSERT INTO kite_incarnation (number, name, address, state, lease_until, joined_at) \
        VALUES (?, ?, ?, 0, CAST(UNIX_TIMESTAMP(UTC_TIMESTAMP(3)) * 1000 AS SIGNED) + ?, ?)
        """
    static let greatestIncarnation = "SELECT COALESCE(MAX(number), 0) FROM kite_incarnation"
    static let renew = """
        UPDATE kite_incarnation SET lease_until = CAST(UNIX_TIMESTAMP(UTC_TIMESTAMP(3)) * 1000 AS SIGNED) + ? \
        WHERE number = ? AND state = 0
        """
    static let leave = "UPDATE kite_incarnation SET state = 2 WHERE number = ? AND state = 0"
    static let anyMessageOf = "SELECT seq FROM kite_message WHERE owner = ? LIMIT 1"
    static let forgetIncarnation = "DELETE FROM kite_incarnation WHERE number = ? AND state IN (1, 2)"

    // MARK: Bindings and slots

    static let slots = "SELECT slot, shard FROM kite_slot ORDER BY slot"
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
