/// Every statement of the operators' side, explained by the same test as those of ``SQL``. `%@` stands for a list of placeholders.
///
/// A count is of a bounded SELECT, so that it reads no more rows than its bound.
enum OperatorSQL {
    // MARK: Groups that are paused

    static let pausedGroups = "SELECT group_name FROM kite_group ORDER BY group_name LIMIT ?"

    // MARK: Samples

    static let insertSamples = """
        INSERT INTO kite_sample (at, broker, topic, published, committed, delivered, acknowledged, dead_lettered)
        """
    static let addSamples = """
        ON DUPLICATE KEY UPDATE published = published + VALUES(published), committed = committed + VALUES(committed), \
        delivered = delivered + VALUES(delivered), acknowledged = acknowledged + VALUES(acknowledged), \
        dead_lettered = dead_lettered + VALUES(dead_lettered)
        """
    static let purgeSamples = "DELETE FROM kite_sample WHERE at < ? ORDER BY at LIMIT ?"

    // MARK: Audit log

    static let purgeAudit = "DELETE FROM kite_audit WHERE at < ? ORDER BY at, id LIMIT ?"
}
