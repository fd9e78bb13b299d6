import KiteQCore
import TOMLKit

/// What the TOML library has read, as values of our own.
enum TOMLReader {
    /// Why a file that is TOML cannot be used.
    struct Refusal: Error {
        let sentence: String
    }

    /// No option needs more than four levels; each of them is a call within a call.
    private static let mostLevels = 8

    static func table(_ table: TOMLTable, level: Int = 1) throws(Refusal) -> [String: ConfigurationValue] {
        guard level <= mostLevels else {
            throw Refusal(sentence: "tables and lists have at most \(mostLevels) levels")
        }
        var entries: [String: ConfigurationValue] = [:]
        for key in table.keys {
            guard !key.isEmpty else { throw Refusal(sentence: "a name is empty") }
            guard let value = table[key] else { continue }
            // To the library they are two, and to a dictionary one: half of what is said would be lost.
            if entries.updateValue(try self.value(value, level), forKey: key) != nil {
                throw Refusal(sentence: "\(VisibleText.shortened(key)) is there in two spellings of Unicode")
            }
        }
        return entries
    }

    private static func value(
        _ value: any TOMLValueConvertible, _ level: Int
    ) throws(Refusal) -> ConfigurationValue {
        switch value.type {
        case .string: value.string.map { .string($0) } ?? .other("")
        case .int: value.int.map { .number($0) } ?? .other("")
        case .double: value.double.map { .decimal($0) } ?? .other("")
        case .bool: value.bool.map { .flag($0) } ?? .other("")
        case .table:
            .table(try value.table.map { table throws(Refusal) in try self.table(table, level: level + 1) } ?? [:])
        case .array: .list(try value.array.map { array throws(Refusal) in try list(array, level: level + 1) } ?? [])
        case .date, .time, .dateTime: .other(value.debugDescription)
        }
    }

    private static func list(_ array: TOMLArray, level: Int) throws(Refusal) -> [ConfigurationValue] {
        guard level <= mostLevels else {
            throw Refusal(sentence: "tables and lists have at most \(mostLevels) levels")
        }
        var values: [ConfigurationValue] = []
        for index in array.indices { values.append(try value(array[index], level)) }
        return values
    }
}
