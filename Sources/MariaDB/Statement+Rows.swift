import CMariaDB

extension Statement {
    /// The rows of the statement just run, read whole.
    func rows() throws -> [MariaDBRow] {
        guard let metadata = mysql_stmt_result_metadata(handle) else { return [] }
        defer { mysql_free_result(metadata) }
        let count = Int(mysql_num_fields(metadata))
        var update: my_bool = 1
        mysql_stmt_attr_set(handle, STMT_ATTR_UPDATE_MAX_LENGTH, &update)
        if mysql_stmt_store_result(handle) != 0 { throw error }
        defer { mysql_stmt_free_result(handle) }
        guard let fields = mysql_fetch_fields(metadata) else { throw error }
        let columns = (0..<count).map { ResultColumn(fields[$0]) }
        let buffers = ResultBuffers(columns)
        defer { buffers.deallocate() }
        if mysql_stmt_bind_result(handle, buffers.binds.baseAddress) != 0 { throw error }
        var rows: [MariaDBRow] = []
        rows.reserveCapacity(Int(mysql_stmt_num_rows(handle)))
        while true {
            switch mysql_stmt_fetch(handle) {
            case 0: rows.append(MariaDBRow(values: (0..<count).map { buffers.value($0) }))
            case MYSQL_NO_DATA: return rows
            case MYSQL_DATA_TRUNCATED:
                throw MariaDBError(code: 0, message: "a column is longer than the server had said", statement: sql)
            default: throw error
            }
        }
    }
}

/// How a column is read.
private struct ResultColumn {
    enum Kind {
        case int, uint, double, bytes
    }

    let kind: Kind
    /// Bytes of its longest value.
    let length: Int

    init(_ field: MYSQL_FIELD) {
        switch field.type {
        case MYSQL_TYPE_TINY, MYSQL_TYPE_SHORT, MYSQL_TYPE_INT24, MYSQL_TYPE_LONG, MYSQL_TYPE_LONGLONG, MYSQL_TYPE_YEAR:
            kind = field.flags & UInt32(UNSIGNED_FLAG) != 0 ? .uint : .int
            length = 8
        case MYSQL_TYPE_FLOAT, MYSQL_TYPE_DOUBLE:
            kind = .double
            length = 8
        default:
            kind = .bytes
            length = max(1, Int(field.max_length))
        }
    }
}

/// Where the connector puts a row: one piece of memory for all columns.
private struct ResultBuffers {
    let binds: UnsafeMutableBufferPointer<MYSQL_BIND>
    private let columns: [ResultColumn]
    private let storage: UnsafeMutableRawBufferPointer
    private let lengths: UnsafeMutableBufferPointer<UInt>
    private let nulls: UnsafeMutableBufferPointer<my_bool>
    private let offsets: [Int]

    init(_ columns: [ResultColumn]) {
        self.columns = columns
        var offsets: [Int] = []
        var total = 0
        for column in columns {
            offsets.append(total)
            total += (column.length + 7) & ~7
        }
        self.offsets = offsets
        storage = .allocate(byteCount: max(8, total), alignment: 8)
        lengths = .allocate(capacity: columns.count)
        nulls = .allocate(capacity: columns.count)
        binds = .allocate(capacity: columns.count)
        lengths.initialize(repeating: 0)
        nulls.initialize(repeating: 0)
        binds.initialize(repeating: MYSQL_BIND())
        for (index, column) in columns.enumerated() {
            switch column.kind {
            case .int: binds[index].buffer_type = MYSQL_TYPE_LONGLONG
            case .uint:
                binds[index].buffer_type = MYSQL_TYPE_LONGLONG
                binds[index].is_unsigned = 1
            case .double: binds[index].buffer_type = MYSQL_TYPE_DOUBLE
            case .bytes: binds[index].buffer_type = MYSQL_TYPE_BLOB
            }
            binds[index].buffer = storage.baseAddress.map { $0 + offsets[index] }
            binds[index].buffer_length = UInt(column.length)
            binds[index].length = lengths.baseAddress.map { $0 + index }
            binds[index].is_null = nulls.baseAddress.map { $0 + index }
        }
    }

    func value(_ index: Int) -> MariaDBValue {
        if nulls[index] != 0 { return .null }
        switch columns[index].kind {
        case .int: return .int(storage.load(fromByteOffset: offsets[index], as: Int64.self))
        case .uint: return .uint(storage.load(fromByteOffset: offsets[index], as: UInt64.self))
        case .double: return .double(storage.load(fromByteOffset: offsets[index], as: Double.self))
        case .bytes:
            let start = offsets[index]
            return .bytes([UInt8](storage[start..<(start + Int(lengths[index]))]))
        }
    }

    func deallocate() {
        storage.deallocate()
        lengths.deallocate()
        nulls.deallocate()
        binds.deallocate()
    }
}
