import CMariaDB

/// Why a database call failed: the server's or the connector's code, and what follows from it.
///
/// It holds the statement's text with its placeholders, never parameters or passwords.
public struct MariaDBError: Error, Sendable, CustomStringConvertible {
    /// The server's error number, or the connector's from 2000 to 2999, or 0 for an error of this module.
    public let code: Int
    /// Five characters; `HY000` where there is nothing better.
    public let sqlState: String
    public let message: String
    /// The statement with its placeholders, where one was under way.
    public let statement: String?
    /// There is no connection: it was lost, or none could be had in time. One that was used is of no use any more.
    public let isConnectionLost: Bool
    /// No connection could be made, for the configuration's fault: the user, the password, the database, the certificate,
    /// a session statement.
    public let isRefused: Bool
    /// A COMMIT, or a statement that is its own transaction, was sent and its reply did not come: it may be committed or not.
    public internal(set) var isCommitOutcomeUnknown: Bool
    /// The connection that was lost: kill it before looking at what became of its transaction.
    public internal(set) var thread: MariaDBThread?
    /// The server's number of the connection that was lost.
    public var threadID: UInt64? { thread?.id }

    init(
        code: Int, sqlState: String = "HY000", message: String, statement: String? = nil,
        isConnectionLost: Bool = false, isRefused: Bool = false, isCommitOutcomeUnknown: Bool = false
    ) {
        self.code = code
        self.sqlState = sqlState
        self.message = message + Self.explanation(code)
        self.statement = statement
        self.isConnectionLost = isConnectionLost || Self.lostCodes.contains(code)
        self.isRefused = isRefused
        self.isCommitOutcomeUnknown = isCommitOutcomeUnknown
    }

    /// What a person cannot know by the server's own words. (3100: "Error on observer while running replication hook".)
    private static func explanation(_ code: Int) -> String {
        guard code == 3100 else { return "" }
        return
            " Either the transaction is larger than group_replication_transaction_size_limit, or the group takes no transactions now."
    }

    /// The connector's: not reached (2000 to 2005, 2007, 2009 to 2012), gone (2006, 2013, 2055), calls or packets in disorder
    /// (2014, 2027), TLS broken off (2026). The server's: killed (1927), shutdown (1053), interrupted by a time-out while
    /// reading or writing (1159, 1161), too long a silence (4031), offline mode (3032), a Galera node that has lost its
    /// cluster and serves nobody (1047).
    private static let lostCodes: Set<Int> = Set(2000...2014).subtracting([2008])
        .union([2026, 2027, 2055, 1047, 1053, 1159, 1161, 1927, 3032, 4031])

    /// The connection is of no use any more: lost, or the server hangs up after this error (1152 to 1161, such as a packet
    /// over max_allowed_packet).
    var closesConnection: Bool { isConnectionLost || (1152...1161).contains(code) || code == 2020 }

    /// What refuses a new connection for the configuration's fault: the user, the password or the database (1044, 1045, 1049,
    /// 1698), this host (1129, 1130), an account that is locked or whose password has expired (1820, 1862, 3118, 4151), how to
    /// log in (1251, 1524, 2059), the certificate or a connection without TLS (2026, 3159).
    static func isRefusal(_ code: Int) -> Bool {
        [1044, 1045, 1049, 1129, 1130, 1251, 1524, 1698, 1820, 1862, 2026, 2059, 3118, 3159, 4151].contains(code)
    }

    /// The whole transaction may succeed when it is run again: a deadlock, a lock not had in time, a lost connection whose
    /// outcome is known, a server that starts or stops.
    public var isRetriable: Bool {
        !isCommitOutcomeUnknown && !isRefused
            && (isDeadlock || isLockWaitTimeout || isConnectionLost || code == 1040 || code == 1203)
    }

    /// The server rolled the transaction back for the sake of another one, and said so: nothing of it is there.
    ///
    /// A deadlock (1213; on a Galera cluster also a conflict that is found at COMMIT), a conflict that group replication
    /// found at COMMIT (3101), a row that changed since it was read (1020), and whatever else has a state of class 40.
    public var isDeadlock: Bool { [1213, 1020, 3101].contains(code) || sqlState.hasPrefix("40") }
    /// 1205, of a row or of a table as a whole (ALTER TABLE, FLUSH TABLES); 3572 of MySQL, where it was not to be waited for.
    public var isLockWaitTimeout: Bool { code == 1205 || code == 3572 }
    /// The server's own for a statement under `read_only`.
    static let readOnlyCode = 1290
    public var isDuplicateKey: Bool { code == 1062 || code == 1586 }
    /// The server takes no writes now: read_only or super_read_only (1290), a transaction that is read-only (1792), read-only
    /// mode (1836), InnoDB opened for reading or being rescued (1036, 1874, 1881).
    public var isReadOnly: Bool { [1036, 1290, 1792, 1836, 1874, 1881].contains(code) }

    /// The server's own for what a product does not have.
    static let wrongProductCode = 1235
    /// The server is of a product that does not keep what is built on: no waiting helps, and nobody mends it.
    public var isWrongProduct: Bool { code == Self.wrongProductCode && isRefused }

    /// A Galera node that has lost its cluster, or has not joined it yet, and serves nobody.
    var isUnready: Bool { code == 1047 }

    // MARK: Size

    /// The transaction, or one statement of it, is larger than the server takes. It was rolled back; smaller ones pass.
    ///
    /// The binary log's caches (1197, 1705: max_binlog_cache_size, max_binlog_stmt_cache_size), a packet (1153, 1301, and the
    /// connector's own 2020: max_allowed_packet), an undo record (1713), and Galera's write sets (1105 or 1180 with words:
    /// wsrep_max_ws_size, wsrep_max_ws_rows).
    public var isTooLarge: Bool {
        [1153, 1197, 1301, 1705, 1713, 2020].contains(code) || [1105, 1180].contains(code) && namesTheWriteSet
    }

    /// A smaller transaction may pass where this one did not: it is too large; or the server did not say why it stopped it, as
    /// group replication does with 3100, be it for group_replication_transaction_size_limit or for the group's state; or it
    /// lacked a resource of which a smaller one needs less: the lock table (1206), memory to sort or at all (1037, 1038,
    /// 1041, 5), room on the disk, time (1969, 3024), what COMMIT needs (1180).
    public var mayPassInParts: Bool {
        isTooLarge || isDiskFull || [5, 1037, 1038, 1041, 1180, 1206, 1969, 3024, 3100].contains(code)
    }

    /// `Maximum writeset size exceeded`, `wsrep_max_ws_rows exceeded`; at COMMIT no more than errno 90, `Message too long`.
    private var namesTheWriteSet: Bool {
        let message = message.lowercased()
        return message.contains("writeset") || message.contains("wsrep_max_ws") || message.contains("error 90 ")
            || message.contains("message too long")
    }
    /// 1021, 1114 (table full), and errors of a file or an engine (3, 1026, 1030) whose cause is errno 28.
    public var isDiskFull: Bool {
        code == 1021 || code == 1114
            || [3, 1026, 1030].contains(code) && (message.contains("rror 28 ") || message.contains("code: 28 "))
    }
    /// One row's own fault: too long, out of range, a NULL, over max_allowed_packet.
    public var isDataError: Bool {
        [1048, 1153, 1264, 1265, 1366, 1406, 2020, 1118].contains(code) || sqlState.hasPrefix("22")
    }

    public var description: String {
        let number = code == 0 ? "" : " (\(code), \(sqlState))"
        return message + number + (statement.map { ", in: \($0.prefix(200))" } ?? "")
    }
}
