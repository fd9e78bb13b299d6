/// A parameter or a column of a row.
public enum MariaDBValue: Sendable, Hashable {
    case null
    case int(Int64)
    case uint(UInt64)
    case double(Double)
    /// As a parameter a binary string, without a character set. Columns of all other types come so too: text in UTF-8,
    /// DECIMAL and times in their text form, BIT as its bytes.
    case bytes([UInt8])
    /// A parameter in UTF-8, which the server compares and converts as text: what columns of text and JSON want. No column
    /// comes so.
    case text(String)

    public static func int(_ value: Int) -> MariaDBValue { .int(Int64(value)) }
}

extension MariaDBValue: ExpressibleByIntegerLiteral, ExpressibleByStringLiteral, ExpressibleByNilLiteral {
    public init(integerLiteral value: Int64) { self = .int(value) }
    public init(stringLiteral value: String) { self = .text(value) }
    public init(nilLiteral: ()) { self = .null }
}

/// A row of a result, by position.
public struct MariaDBRow: Sendable {
    public let values: [MariaDBValue]

    /// - Throws: `MariaDBError` where the column is NULL or no integer that fits.
    public func int(_ column: Int) throws -> Int64 {
        switch values[column] {
        case .int(let value): return value
        case .uint(let value) where value <= UInt64(Int64.max): return Int64(value)
        case .bytes(let bytes):
            // DECIMAL, and the text protocol, give digits.
            if let value = Int64(String(decoding: bytes, as: UTF8.self)) { return value }
        case .null, .uint, .double, .text: break
        }
        throw mismatch(column, "an integer")
    }

    /// Nil for NULL.
    public func optionalInt(_ column: Int) throws -> Int64? {
        values[column] == .null ? nil : try int(column)
    }

    /// - Throws: `MariaDBError` where the column is NULL or a number.
    public func bytes(_ column: Int) throws -> [UInt8] {
        guard case .bytes(let bytes) = values[column] else { throw mismatch(column, "bytes") }
        return bytes
    }

    /// Nil for NULL.
    public func optionalBytes(_ column: Int) throws -> [UInt8]? {
        values[column] == .null ? nil : try bytes(column)
    }

    public func text(_ column: Int) throws -> String {
        switch values[column] {
        case .bytes(let bytes): return String(decoding: bytes, as: UTF8.self)
        case .text(let text): return text
        case .int(let value): return String(value)
        case .uint(let value): return String(value)
        case .double(let value): return String(value)
        case .null: throw mismatch(column, "text")
        }
    }

    private func mismatch(_ column: Int, _ wanted: String) -> MariaDBError {
        let found =
            switch values[column] {
            case .null: "NULL"
            case .int, .uint: "an integer"
            case .double: "a floating-point number"
            case .bytes, .text: "text or bytes"
            }
        return MariaDBError(code: 0, message: "column \(column) of the row is \(found), not \(wanted)")
    }
}

/// What a statement that returns no rows did.
public struct MariaDBResult: Sendable, Hashable {
    public let affectedRows: Int
    public let lastInsertID: UInt64
}
