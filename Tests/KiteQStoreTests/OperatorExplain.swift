@testable import KiteQStore

/// The statements of the operators' side, for the test that explains them all.
extension ExplainTests {
    static let operatorCases: [Case] = [
        Case("presenceOf", OperatorSQL.presenceOf, ["'g7'"], "PRIMARY", "by_state"),
        Case("names", OperatorSQL.names, ["1", "2", "3", "4"], "PRIMARY"),
        Case("countRoute", OperatorSQL.countRoute, ["1", "7", "100"], "by_route").fromHead,
        Case("countFresh", OperatorSQL.countFresh, ["1", "100"], "by_route").fromHead,
        Case("oldestMessage", OperatorSQL.oldestMessage, ["0"], "PRIMARY").marked(EmptiedTables.end),
        Case("routesOf", OperatorSQL.routesOf, ["'a'", "100"], "by_group"),
        Case("freshOfRoute", OperatorSQL.freshOfRoute, ["1", "7", "0", "100"], "by_route")
            .marked("1", "7", EmptiedTables.end, "4").buffered,
        Case("deliveries", OperatorSQL.deliveries, ["'a'", "1", "500", "100"], "by_due")
            .marked("'b'", EmptiedTables.end, EmptiedTables.beyond, "4").buffered,
        Case("nextGroup", OperatorSQL.nextGroup, ["'a'", "'a'", "'a'"], "by_group", "PRIMARY", "by_due").fromHead,
        Case("oldestTopics", OperatorSQL.oldestTopics, ["-1", "100"], "PRIMARY").fromHead,
        Case("newestTopics", OperatorSQL.newestTopics, ["2100", "100"], "PRIMARY").fromHead,
        Case("message", OperatorSQL.message, ["65536", ids[0]], "by_id"),
        Case("deliveriesOfMessage", OperatorSQL.deliveriesOfMessage, ["2001", "100"], "PRIMARY"),
        Case("transaction", OperatorSQL.transaction, [ids[0]], "by_id"),
        Case("letterContent", OperatorSQL.letterContent, ["65536", "300"], "PRIMARY"),
        Case("messagesUp", OperatorSQL.messagesUp, ["3000", "9000", "100"], "PRIMARY").fromHead,
        Case("messagesDown", OperatorSQL.messagesDown, ["3000", "9000", "100"], "PRIMARY").fromHead,
        Case("routeUp", OperatorSQL.routeUp, ["1", "7", "3000", "9000", "100"], "by_route").fromHead,
        Case("routeDown", OperatorSQL.routeDown, ["1", "7", "3000", "9000", "100"], "by_route").fromHead,
        Case("deliveriesUp", OperatorSQL.deliveriesUp, ["3000", "9000", "100"], "PRIMARY").fromHead,
        Case("deliveriesDown", OperatorSQL.deliveriesDown, ["3000", "9000", "100"], "PRIMARY").fromHead,
        Case("summaries", OperatorSQL.summaries, seqs, "PRIMARY"),
        Case("openTransactions", OperatorSQL.openTransactions, ["2100", "2100", "7", "50"], "by_check", "PRIMARY")
            .fromHead,
        Case("lastOpenTransactions", OperatorSQL.lastOpenTransactions, ["50"], "by_check", "PRIMARY").fromHead,
        Case("undecidedByGroup", OperatorSQL.undecidedByGroup, ["100"], "by_check").fromHead,
        Case("outcome", OperatorSQL.outcome, [ids[0]], "by_id"),
        Case("lockOutcome", OperatorSQL.lockOutcome, [ids[0]], "by_id"),
        Case("commitTracked", OperatorSQL.commitTracked, ["2001"], "PRIMARY"),
        Case("countByGroup", OperatorSQL.countByGroup, ["'a'", "1", "100"], "by_group").fromHead,
        Case("countByTopic", OperatorSQL.countByTopic, ["'trade'", "1", "100"], "by_topic").fromHead,
        Case("countByTime", OperatorSQL.countByTime, ["1300", "9000", "100"], "by_time").fromHead,
        Case("pauseOf", OperatorSQL.pauseOf, ["'g7'"], "PRIMARY"),
        Case("resume", OperatorSQL.resume, ["'g7'"], "PRIMARY"),
        Case("series", OperatorSQL.series, ["600000", "3000000", "9000000"], "PRIMARY"),
        Case(
            "seriesOfTopics", OperatorSQL.seriesOfTopics,
            ["600000", "3000000", "9000000", "'t1'", "'t2'", "'t3'", "'t4'"], "PRIMARY"),
        Case("purgeSamples", OperatorSQL.purgeSamples, ["3000000", "50"], "PRIMARY"),
        Case("audit", OperatorSQL.audit, ["9000", "50"], "PRIMARY"),
        Case("purgeAudit", OperatorSQL.purgeAudit, ["1000", "50"], "by_time"),
    ]

    /// The server's own tables; tables of a few rows, read whole up to a limit; what looks nothing up.
    static let operatorRest: Set<String> = [
        "tables", "historyListLength", "lives", "presence", "pausedGroups", "summary", "undecided", "letters", "sums",
        "pause",
        "insertSamples", "addSamples", "insertAudit",
    ]
}
