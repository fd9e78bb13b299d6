/// Every statement about dead letters, explained by the same test as those of ``SQL``. `%@` stands for a list of placeholders.
///
/// The index of a page is named: the statistics of a table that is swept and filled again are wrong every other time.
enum DeadLetterSQL {
    static let columns = """
        id, seq, message_id, group_name, reason, attempts, last_error, died_at, expires_at, published_at, deliver_limit, \
        kind, topic, message_type, publisher_group
        """

    // MARK: Reading

    static let byGroup = """
        SELECT \(columns) FROM kite_dead_letter FORCE INDEX (by_group) \
        WHERE group_name = ? AND reason = ? AND id > ? ORDER BY id LIMIT ?
        """
    static let byTopic = """
        SELECT \(columns) FROM kite_dead_letter FORCE INDEX (by_topic) \
        WHERE topic = ? AND reason = ? AND id > ? ORDER BY id LIMIT ?
        """
    static let byTime = """
        SELECT \(columns) FROM kite_dead_letter FORCE INDEX (by_time) \
        WHERE (died_at = ? AND id > ? OR died_at > ?) AND died_at < ? ORDER BY died_at, id LIMIT ?
        """
    static let byNumber = "SELECT \(columns) FROM kite_dead_letter WHERE id = ?"
    static let byMessage = """
        SELECT \(columns) FROM kite_dead_letter FORCE INDEX (by_id) WHERE message_id = ? ORDER BY id LIMIT ?
        """
    static let content = "SELECT header, body, extra FROM kite_dead_letter WHERE id = ?"
    /// Unix milliseconds by the server's clock: whose machine a person works at, and what its clock says, is anybody's guess.
    static let now = "SELECT CAST(UNIX_TIMESTAMP(UTC_TIMESTAMP(3)) * 1000 AS SIGNED)"

    // MARK: Requeueing

    static let lock = "SELECT \(columns) FROM kite_dead_letter WHERE id = ? FOR UPDATE"
    static let lockMessage = "SELECT state, message_id FROM kite_message WHERE seq = ? FOR UPDATE"
    static let seqOfMessage = "SELECT seq FROM kite_message WHERE message_id = ?"
    static let restoreMessage = """
        INSERT INTO kite_message (seq, message_id, state, kind, owner, route, expires_at, published_at, deliver_limit, \
        topic, message_type, publisher_group, header, body, extra) \
        SELECT seq, message_id, 2, kind, 0, -1, ?, published_at, deliver_limit, topic, message_type, publisher_group, \
        header, body, extra FROM kite_dead_letter WHERE id = ?
        """
    static let raiseExpiry = "UPDATE kite_message SET expires_at = ? WHERE seq = ? AND expires_at < ?"
    static let insertDeliveries = "INSERT INTO kite_delivery (seq, group_name, attempts, due_at, owner)"
    /// A group that is owed the message already stays as it is: its row may be in a broker's memory.
    static let keepDelivery = "ON DUPLICATE KEY UPDATE attempts = attempts"

    // MARK: Deciding and deleting

    static let lockTransaction = "SELECT outcome FROM kite_transaction WHERE seq = ? FOR UPDATE"
    static let decideParked = """
        UPDATE kite_transaction FORCE INDEX (PRIMARY) SET outcome = ?, next_check_at = ? WHERE seq IN (%@) AND outcome = 3
        """
    static let sizes = """
        SELECT id, OCTET_LENGTH(header) + OCTET_LENGTH(body) + COALESCE(OCTET_LENGTH(extra), 0) \
        FROM kite_dead_letter FORCE INDEX (PRIMARY) WHERE id IN (%@)
        """
    static let lockAll = """
        SELECT id, seq, reason FROM kite_dead_letter FORCE INDEX (PRIMARY) WHERE id IN (%@) ORDER BY id FOR UPDATE
        """
    /// The kind is in no index: see ``SQL``.
    static let delete = "DELETE l FROM kite_dead_letter l FORCE INDEX (PRIMARY) WHERE l.id IN (%@) AND l.kind > 0"
}
