/// Rows for one INSERT, column by column, bytes in one arena.
///
/// Either its values are appended row by row, or its columns are added one by one, which is quicker where rows are many. Build it
/// anywhere, then hand it to `MariaDBConnection.insert(into:_:)`. Copying a value in is all the copying there is.
public struct MariaDBBatch: Sendable {
    public enum Kind: Sendable, Hashable {
        /// An integer, never NULL.
        case int
        /// Bytes, text or NULL.
        case bytes
    }

    struct Column: Sendable {
        let kind: Kind
        var ints: [Int64] = []
        /// Where each value lies in the arena; a start of -1 is NULL.
        var starts: [Int] = []
        var lengths: [UInt] = []
    }

    public var kinds: [Kind] { columns.map(\.kind) }
    /// Whole rows.
    public private(set) var count = 0
    var columns: [Column]
    var arena: [UInt8] = []
    private var next = 0

    /// - Parameter kinds: of the columns, in the statement's order.
    public init(_ kinds: [Kind]) {
        precondition(!kinds.isEmpty, "a batch has columns")
        columns = kinds.map { Column(kind: $0) }
    }

    /// A batch of so many rows, whose columns are added one by one.
    /// - Parameter bytes: of all values that are bytes, to make room for once.
    public init(rows: Int, bytes: Int) {
        columns = []
        count = rows
        arena.reserveCapacity(bytes)
    }

    // MARK: By columns

    public mutating func addColumn(_ value: (_ row: Int) -> Int64) {
        var column = Column(kind: .int)
        column.ints = (0..<count).map(value)
        columns.append(column)
    }

    public mutating func addColumn(texts value: (_ row: Int) -> String) {
        addColumn(bytes: { row, put in
            var text = value(row)
            text.withUTF8 { put(UnsafeRawBufferPointer($0)) }
        })
    }

    /// - Parameter value: calls what it is given once, with the row's bytes or, for NULL, with nil.
    public mutating func addColumn(bytes value: (_ row: Int, _ put: (UnsafeRawBufferPointer?) -> Void) -> Void) {
        var column = Column(kind: .bytes)
        column.starts.reserveCapacity(count)
        column.lengths.reserveCapacity(count)
        for row in 0..<count {
            value(row) { bytes in
                column.starts.append(bytes == nil ? -1 : arena.count)
                column.lengths.append(UInt(bytes?.count ?? 0))
                if let bytes { arena.append(contentsOf: bytes) }
            }
            precondition(column.starts.count == row + 1, "each row of a column has one value")
        }
        columns.append(column)
    }

    var isWhole: Bool { next == 0 && !columns.isEmpty }

    /// Bytes of the values, for limits such as max_allowed_packet.
    public var byteCount: Int { arena.count + columns.count * count * 8 }

    // MARK: By rows

    /// The next value of the row: columns in order, then the next row.
    public mutating func append(_ value: Int64) {
        precondition(columns[next].kind == .int, "column \(next) of the batch takes bytes")
        columns[next].ints.append(value)
        advance()
    }

    public mutating func append(_ value: some Sequence<UInt8>) {
        let start = arena.count
        arena.append(contentsOf: value)
        append(start: start, length: arena.count - start)
    }

    public mutating func append(_ bytes: UnsafeRawBufferPointer) {
        let start = arena.count
        arena.append(contentsOf: bytes)
        append(start: start, length: bytes.count)
    }

    public mutating func append(_ text: String) { append(text.utf8) }

    /// NULL, in a column of bytes.
    public mutating func appendNull() { append(start: -1, length: 0) }

    private mutating func append(start: Int, length: Int) {
        precondition(columns[next].kind == .bytes, "column \(next) of the batch takes an integer")
        columns[next].starts.append(start)
        columns[next].lengths.append(UInt(length))
        advance()
    }

    private mutating func advance() {
        next += 1
        if next == columns.count {
            next = 0
            count += 1
        }
    }
}
