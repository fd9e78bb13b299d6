/// Rows for one INSERT, column by column: values are appended row by row, bytes into one arena.
///
/// Build it anywhere, then hand it to `MariaDBConnection.insert(into:_:)`. Copying a value in is all the copying there is.
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

    public let kinds: [Kind]
    /// Whole rows.
    public private(set) var count = 0
    var columns: [Column]
    var arena: [UInt8] = []
    private var next = 0

    /// - Parameter kinds: of the columns, in the statement's order.
    public init(_ kinds: [Kind]) {
        precondition(!kinds.isEmpty, "a batch has columns")
        self.kinds = kinds
        columns = kinds.map { Column(kind: $0) }
    }

    /// Makes room for so many rows, and so many bytes of their values.
    public mutating func reserveCapacity(rows: Int, bytes: Int) {
        for index in columns.indices {
            switch columns[index].kind {
            case .int: columns[index].ints.reserveCapacity(rows)
            case .bytes:
                columns[index].starts.reserveCapacity(rows)
                columns[index].lengths.reserveCapacity(rows)
            }
        }
        arena.reserveCapacity(bytes)
    }

    var isWhole: Bool { next == 0 }

    /// Bytes of the values, for limits such as max_allowed_packet.
    public var byteCount: Int { arena.count + columns.count * count * 8 }

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
