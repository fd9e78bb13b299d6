@testable import KiteQStore

/// The statements about dead letters, for the test that explains them all.
extension ExplainTests {
    static let deadLetterCases: [Case] = [
        Case("byGroup", DeadLetterSQL.byGroup, ["'a'", "1", "300", "100"], "by_group").fromHead,
        Case("byTopic", DeadLetterSQL.byTopic, ["'trade'", "1", "300", "100"], "by_topic").fromHead,
        Case("byTime", DeadLetterSQL.byTime, ["1300", "300", "1300", "9000", "100"], "by_time").fromHead,
        Case("byNumber", DeadLetterSQL.byNumber, ["300"], "PRIMARY"),
        Case("byMessage", DeadLetterSQL.byMessage, [ids[0], "100"], "by_id"),
        Case("content", DeadLetterSQL.content, ["300"], "PRIMARY"),
        Case("lock", DeadLetterSQL.lock, ["300"], "PRIMARY"),
        Case("lockMessage", DeadLetterSQL.lockMessage, ["2001"], "PRIMARY"),
        Case("seqOfMessage", DeadLetterSQL.seqOfMessage, [ids[0]], "by_id"),
        Case("restoreMessage", DeadLetterSQL.restoreMessage, ["9000", "300"], "PRIMARY")
            .marked("9000", EmptiedTables.gone),
        Case("raiseExpiry", DeadLetterSQL.raiseExpiry, ["9000", "2001", "5000"], "PRIMARY"),
        Case("lockTransaction", DeadLetterSQL.lockTransaction, ["2001"], "PRIMARY"),
        Case("decideParked", DeadLetterSQL.decideParked, ["1", "9000"] + seqs, "PRIMARY"),
        Case("sizes", DeadLetterSQL.sizes, ["301", "302", "303", "304"], "PRIMARY"),
        Case("lockAll", DeadLetterSQL.lockAll, ["301", "302", "303", "304"], "PRIMARY"),
        Case("delete", DeadLetterSQL.delete, ["301", "302", "303", "304"], "PRIMARY"),
    ]

    /// Nothing is looked up.
    static let deadLetterInserts: Set<String> = ["columns", "now", "insertDeliveries", "keepDelivery"]
}
