import CMariaDB
import Foundation

/// A row of a result: every value is text or NULL.
package struct DBARow: Sendable, Hashable {
    package let names: [String]
    package let values: [String?]

    /// Nil for NULL, and where there is no such column.
    package subscript(column: Int) -> String? { values.indices.contains(column) ? values[column] : nil }
    package subscript(name: String) -> String? { names.firstIndex(of: name).flatMap { values[$0] } }
}

/// Why a statement failed: the server's number of the error or the connector's, and its sentence.
package struct DBAError: Error, Sendable, Hashable, CustomStringConvertible {
    package let code: Int
    package let message: String

    package var description: String { "\(message) (\(code))" }
}

/// A connection to a server of this machine over its socket, as whoever runs it has one.
///
/// It is not the brokers' own client, which has opinions of servers that are not to be used: those are looked at here all the same.
/// Its calls block.
final class DBASession {
    private let mysql: UnsafeMutablePointer<MYSQL>

    private static let isInitialized = mysql_server_init(0, nil, nil) == 0

    /// - Parameter limit: of the connection, and of each read and write; whole seconds.
    init(socket: String, user: String, password: String, within limit: Duration) throws {
        guard Self.isInitialized, let mysql = mysql_init(nil) else {
            throw DBAError(code: 0, message: "the connector cannot be used")
        }
        self.mysql = mysql
        var seconds = UInt32(max(1, limit.components.seconds))
        for option in [MYSQL_OPT_CONNECT_TIMEOUT, MYSQL_OPT_READ_TIMEOUT, MYSQL_OPT_WRITE_TIMEOUT] {
            mysql_options(mysql, option, &seconds)
        }
        if mysql_real_connect(mysql, nil, user, password, nil, 0, socket, 0) == nil { throw failure }
    }

    deinit { mysql_close(mysql) }

    /// The rows of a statement; none where it gives none.
    func rows(_ sql: String) throws -> [DBARow] {
        guard mysql_query(mysql, sql) == 0 else { throw failure }
        guard let result = mysql_store_result(mysql) else {
            if mysql_field_count(mysql) > 0 { throw failure }
            return []
        }
        defer { mysql_free_result(result) }
        let count = Int(mysql_num_fields(result))
        guard count > 0, let fields = mysql_fetch_fields(result) else { return [] }
        let names = (0..<count).map { String(cString: fields[$0].name) }
        var rows: [DBARow] = []
        while let row = mysql_fetch_row(result), let lengths = mysql_fetch_lengths(result) {
            let values = (0..<count).map { column in
                row[column].map { text in
                    text.withMemoryRebound(to: UInt8.self, capacity: Int(lengths[column])) {
                        String(decoding: UnsafeBufferPointer(start: $0, count: Int(lengths[column])), as: UTF8.self)
                    }
                }
            }
            rows.append(DBARow(names: names, values: values))
        }
        return rows
    }

    private var failure: DBAError {
        DBAError(code: Int(mysql_errno(mysql)), message: String(cString: mysql_error(mysql)))
    }
}
