import Testing

@testable import MariaDB

/// What follows from an error number. `ClusterLimitTests` has those of clusters from clusters.
@Suite struct ErrorTests {
    private func error(_ code: Int, _ message: String = "", state: String = "HY000") -> MariaDBError {
        MariaDBError(code: code, sqlState: state, message: message)
    }

    @Test func whatWasRolledBackForAnotherIsRunAgain() {
        let errors = [
            error(1213, "Deadlock found when trying to get lock; try restarting transaction", state: "40001"),
            error(3101, "Plugin instructed the server to rollback the current transaction.", state: "40000"),
            error(1020, "Record has changed since last read in table 'kite_message'"),
        ]
        for error in errors {
            #expect(error.isDeadlock && error.isRetriable && !error.mayPassInParts, "\(error)")
            #expect(!error.isReadOnly && !error.isCommitOutcomeUnknown, "\(error)")
        }
    }

    @Test func whatIsTooLargeMayPassInParts() {
        let errors = [
            error(1197, "Multi-statement transaction required more than 'max_binlog_cache_size' bytes of storage"),
            error(1705, "Multi-row statements required more than 'max_binlog_stmt_cache_size' bytes of storage"),
            error(1153, "Got a packet bigger than 'max_allowed_packet' bytes"),
            error(1301, "Result of repeat() was larger than max_allowed_packet"),
            error(1713, "Undo log record is too big."),
            error(1105, "Maximum writeset size exceeded by 4096: 1073741824"),
            error(1180, "wsrep_max_ws_rows exceeded"),
            error(1180, "Got error 90 \"Message too long\" during COMMIT"),
        ]
        for error in errors {
            #expect(error.isTooLarge && error.mayPassInParts, "\(error)")
            #expect(!error.isReadOnly && !error.isRetriable, "\(error)")
        }
    }

    /// Group replication says the same of a transaction over its limit and of a group that is not well.
    @Test func anObserverThatStoppedATransactionIsNoReadOnlyServer() {
        let error = error(3100, "Error on observer while running replication hook 'before_commit'.")
        #expect(!error.isReadOnly && error.mayPassInParts && !error.isTooLarge && !error.isRetriable)
        #expect(error.message.contains("group_replication_transaction_size_limit"), "whoever reads it can do something")
    }

    @Test func aReadOnlyServerTakesNoSmallerOneEither() {
        for code in [1290, 1792, 1836, 1036, 1874, 1881] {
            #expect(error(code).isReadOnly && !error(code).mayPassInParts)
        }
        #expect(!error(1062).mayPassInParts && !error(1205).mayPassInParts && !error(1064).mayPassInParts)
        #expect(!error(1105, "Unknown error").isTooLarge)
    }
}
