/// A value of the configuration file.
indirect enum ConfigurationValue: Sendable, Hashable {
    case string(String)
    case number(Int)
    case decimal(Double)
    case flag(Bool)
    case list([ConfigurationValue])
    case table([String: ConfigurationValue])
    /// A date or a time: no option takes one.
    case other(String)
}

extension ConfigurationValue: CustomStringConvertible {
    /// As it would stand in the file.
    var description: String {
        switch self {
        case .string(let text): "\"\(text)\""
        case .number(let number): "\(number)"
        case .decimal(let number): "\(number)"
        case .flag(let flag): "\(flag)"
        case .list(let values): "[\(values.map(\.description).joined(separator: ", "))]"
        case .table(let entries):
            "{ \(entries.sorted { $0.key < $1.key }.map { "\($0.key) = \($0.value)" }.joined(separator: ", ")) }"
        case .other(let text): text
        }
    }
}
