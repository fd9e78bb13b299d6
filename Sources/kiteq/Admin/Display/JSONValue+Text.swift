import KiteQAdminClient

extension JSONValue {
    /// In one line, the keys in their order.
    var text: String {
        switch self {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .integer(let value): "\(value)"
        // JSON has no other numbers, and the decoder reads no other.
        case .number(let value): "\(value)"
        case .string(let value): JSONText.quoted(value)
        case .array(let items): "[\(items.map(\.text).joined(separator: ","))]"
        case .object(let fields):
            "{\(fields.sorted { $0.key < $1.key }.map { "\(JSONText.quoted($0.key)):\($0.value.text)" }.joined(separator: ","))}"
        }
    }
}
