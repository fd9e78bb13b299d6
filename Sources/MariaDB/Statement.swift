import CMariaDB

/// A prepared statement of one connection; used on its thread alone, and closed with it.
final class Statement {
    let sql: String
    let handle: UnsafeMutablePointer<MYSQL_STMT>
    let parameterCount: Int

    init(_ sql: String, on mysql: UnsafeMutablePointer<MYSQL>) throws {
        guard let handle = mysql_stmt_init(mysql) else {
            throw MariaDBError(code: 2008, message: "no memory for a statement")
        }
        self.sql = sql
        self.handle = handle
        var text = sql
        let failed = text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { mysql_stmt_prepare(handle, $0.baseAddress, UInt($0.count)) }
        }
        if failed != 0 {
            let error = Self.error(handle, sql)
            mysql_stmt_close(handle)
            throw error
        }
        parameterCount = Int(mysql_stmt_param_count(handle))
    }

    /// Not in `deinit`: the server must hear of it on the connection's thread, while the connection is open.
    func close() { mysql_stmt_close(handle) }

    var error: MariaDBError { Self.error(handle, sql) }

    private static func error(_ handle: UnsafeMutablePointer<MYSQL_STMT>, _ sql: String) -> MariaDBError {
        MariaDBError(
            code: Int(mysql_stmt_errno(handle)), sqlState: String(cString: mysql_stmt_sqlstate(handle)),
            message: String(cString: mysql_stmt_error(handle)), statement: sql)
    }

    // MARK: Running

    /// Runs it with one value for each placeholder.
    func execute(_ parameters: [MariaDBValue]) throws {
        precondition(
            parameters.count == parameterCount,
            "\(parameters.count) parameters for \(parameterCount) placeholders in \(sql)")
        guard !parameters.isEmpty else {
            if mysql_stmt_execute(handle) != 0 { throw error }
            return
        }
        // One arena for all bytes, one array for all numbers: their addresses hold while the statement runs.
        var arena: [UInt8] = []
        var lengths = [UInt](repeating: 0, count: parameters.count)
        for (index, parameter) in parameters.enumerated() {
            let start = arena.count
            switch parameter {
            case .bytes(let bytes): arena.append(contentsOf: bytes)
            case .text(let text): arena.append(contentsOf: text.utf8)
            case .null, .int, .uint, .double: break
            }
            lengths[index] = UInt(arena.count - start)
        }
        var numbers = parameters.map { value -> UInt64 in
            switch value {
            case .int(let value): UInt64(bitPattern: value)
            case .uint(let value): value
            case .double(let value): value.bitPattern
            case .null, .bytes, .text: 0
            }
        }
        try arena.withUnsafeMutableBytes { arena in
            try numbers.withUnsafeMutableBytes { numbers in
                var offset = 0
                var binds = [MYSQL_BIND](repeating: MYSQL_BIND(), count: parameters.count)
                for (index, value) in parameters.enumerated() {
                    switch value {
                    case .null:
                        binds[index].buffer_type = MYSQL_TYPE_NULL
                    case .int, .uint:
                        binds[index].buffer_type = MYSQL_TYPE_LONGLONG
                        binds[index].buffer = numbers.baseAddress.map { $0 + index * 8 }
                        if case .uint = value { binds[index].is_unsigned = 1 }
                    case .double:
                        binds[index].buffer_type = MYSQL_TYPE_DOUBLE
                        binds[index].buffer = numbers.baseAddress.map { $0 + index * 8 }
                    case .bytes, .text:
                        binds[index].buffer_type = MYSQL_TYPE_BLOB
                        if case .text = value { binds[index].buffer_type = MYSQL_TYPE_STRING }
                        binds[index].buffer = arena.baseAddress.map { $0 + offset }
                        binds[index].buffer_length = lengths[index]
                        binds[index].length_value = lengths[index]
                        offset += Int(lengths[index])
                    }
                }
                try run(&binds)
            }
        }
    }

    /// Runs it with the rows of a batch from `start` on: `rows` of them in one go, side by side in its placeholders.
    func execute(_ batch: borrowing MariaDBBatch, from start: Int, rows: Int) throws {
        try batch.arena.withUnsafeBytes { arena in
            var binds = [MYSQL_BIND](repeating: MYSQL_BIND(), count: rows * batch.columns.count)
            var index = 0
            var numbers = [Int64](repeating: 0, count: binds.count)
            for row in start..<(start + rows) {
                for column in batch.columns {
                    switch column.kind {
                    case .int:
                        numbers[index] = column.ints[row]
                        binds[index].buffer_type = MYSQL_TYPE_LONGLONG
                    case .bytes where column.starts[row] < 0:
                        binds[index].buffer_type = MYSQL_TYPE_NULL
                    case .bytes:
                        binds[index].buffer_type = MYSQL_TYPE_BLOB
                        binds[index].buffer = Self.mutable(arena, at: column.starts[row])
                        binds[index].buffer_length = column.lengths[row]
                        binds[index].length_value = column.lengths[row]
                    }
                    index += 1
                }
            }
            try numbers.withUnsafeMutableBytes { numbers in
                for index in binds.indices where binds[index].buffer_type == MYSQL_TYPE_LONGLONG {
                    binds[index].buffer = numbers.baseAddress.map { $0 + index * 8 }
                }
                try run(&binds)
            }
        }
    }

    /// Runs it with all rows from `start` on by array binding: one placeholder a column, the server loops (MariaDB only).
    func executeArray(_ batch: borrowing MariaDBBatch, from start: Int, rows: Int) throws {
        var count = UInt32(rows)
        mysql_stmt_attr_set(handle, STMT_ATTR_ARRAY_SIZE, &count)
        defer {
            var one: UInt32 = 0
            mysql_stmt_attr_set(handle, STMT_ATTR_ARRAY_SIZE, &one)
        }
        try batch.arena.withUnsafeBytes { arena in
            var columns = batch.columns.map { ArrayColumn($0, rows: start..<(start + rows), arena: arena) }
            try withUnsafeMutablePointers(&columns) { binds in try run(&binds) }
        }
    }

    /// The rows of one column as the connector wants them for array binding.
    private struct ArrayColumn {
        let kind: MariaDBBatch.Kind
        var ints: [Int64] = []
        var pointers: [UnsafeMutableRawPointer?] = []
        var lengths: [UInt] = []
        /// STMT_INDICATOR_NONE is 0, STMT_INDICATOR_NULL is 1.
        var indicators: [CChar] = []

        init(_ column: MariaDBBatch.Column, rows: Range<Int>, arena: UnsafeRawBufferPointer) {
            kind = column.kind
            switch column.kind {
            case .int:
                ints = Array(column.ints[rows])
            case .bytes:
                pointers = column.starts[rows].map { Statement.mutable(arena, at: max(0, $0)) }
                lengths = Array(column.lengths[rows])
                indicators = column.starts[rows].map { $0 < 0 ? 1 : 0 }
            }
        }
    }

    /// Binds for columns whose arrays stay where they are while `body` runs.
    private func withUnsafeMutablePointers(
        _ columns: inout [ArrayColumn], _ body: (inout [MYSQL_BIND]) throws -> Void
    ) throws {
        func bind(_ index: Int, _ binds: inout [MYSQL_BIND]) throws {
            guard index < columns.count else { return try body(&binds) }
            var column = columns[index]
            var value = MYSQL_BIND()
            switch column.kind {
            case .int:
                try column.ints.withUnsafeMutableBytes { ints in
                    value.buffer_type = MYSQL_TYPE_LONGLONG
                    value.buffer = ints.baseAddress
                    binds.append(value)
                    try bind(index + 1, &binds)
                }
            case .bytes:
                try column.pointers.withUnsafeMutableBytes { pointers in
                    try column.lengths.withUnsafeMutableBufferPointer { lengths in
                        try column.indicators.withUnsafeMutableBufferPointer { indicators in
                            value.buffer_type = MYSQL_TYPE_BLOB
                            value.buffer = pointers.baseAddress
                            value.length = lengths.baseAddress
                            value.u.indicator = indicators.baseAddress
                            binds.append(value)
                            try bind(index + 1, &binds)
                        }
                    }
                }
            }
        }
        var binds: [MYSQL_BIND] = []
        try bind(0, &binds)
    }

    /// The connector takes parameters through mutable pointers and does not write to them.
    fileprivate static func mutable(_ arena: UnsafeRawBufferPointer, at offset: Int) -> UnsafeMutableRawPointer? {
        arena.baseAddress.map { UnsafeMutableRawPointer(mutating: $0 + offset) }
    }

    private func run(_ binds: inout [MYSQL_BIND]) throws {
        // A parameter's length is read through a pointer, which may point into the bind itself.
        try binds.withUnsafeMutableBufferPointer { binds in
            for index in binds.indices
            where binds[index].length == nil
                && (binds[index].buffer_type == MYSQL_TYPE_BLOB || binds[index].buffer_type == MYSQL_TYPE_STRING)
            {
                guard let base = binds.baseAddress else { continue }
                let field = UnsafeMutableRawPointer(base + index) + MemoryLayout<MYSQL_BIND>.offset(of: \.length_value)!
                binds[index].length = field.assumingMemoryBound(to: UInt.self)
            }
            if mysql_stmt_bind_param(handle, binds.baseAddress) != 0 { throw error }
            if mysql_stmt_execute(handle) != 0 { throw error }
        }
    }

    /// Reads what results are left: a CALL has one more than it returns.
    func drain() throws {
        while mysql_stmt_more_results(handle) != 0 {
            if mysql_stmt_next_result(handle) > 0 { throw error }
            mysql_stmt_free_result(handle)
        }
    }

    var result: MariaDBResult {
        MariaDBResult(affectedRows: Int(mysql_stmt_affected_rows(handle)), lastInsertID: mysql_stmt_insert_id(handle))
    }
}
