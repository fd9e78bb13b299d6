import Foundation
import TOMLKit

/// A TOML file, as the values its keys have; keys are `section.name`.
struct ConfigurationFile: Sendable {
    let path: String
    let values: [String: ConfigurationValue]

    /// - Throws: ``CommandError`` where the file cannot be read, is no TOML, or has a key outside of a section.
    /// - Parameter isSecret: nothing of the text is repeated in an error, only where it is.
    init(path: String, isSecret: Bool = false) throws(CommandError) {
        let data: Data
        do {
            data = try Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            let why = FileManager.default.fileExists(atPath: path) ? "cannot be read" : "does not exist"
            throw CommandError("the \(isSecret ? "" : "configuration ")file \(path) \(why)")
        }
        guard let text = String(validating: data, as: UTF8.self) else {
            throw CommandError("the configuration file \(path) is not UTF-8 text")
        }
        try self.init(path: path, text: text, isSecret: isSecret)
    }

    init(path: String, text: String, isSecret: Bool = false) throws(CommandError) {
        self.path = path
        let root: TOMLTable
        do {
            root = try TOMLTable(string: text)
        } catch let error as TOMLParseError {
            let place = "line \(error.source.begin.line), column \(error.source.begin.column)"
            throw CommandError("\(path), \(place): \(isSecret ? "not TOML" : Self.oneLine(error.description))")
        } catch {
            throw CommandError("\(path) is no TOML\(isSecret ? "" : ": \(error)")")
        }
        // The tables inside are windows into this one.
        let sections = withExtendedLifetime(root) { Self.table(root) }
        var values: [String: ConfigurationValue] = [:]
        for (section, content) in sections {
            guard case .table(let entries) = content else {
                throw CommandError(
                    "\(path): \(section) stands outside of a section; every option belongs to one, such as [broker]")
            }
            for (name, value) in entries { values["\(section).\(name)"] = value }
            // So that an unknown section is found even where it is empty.
            if entries.isEmpty { values["\(section)."] = .table([:]) }
        }
        self.values = values
    }

    private static func oneLine(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).joined(separator: " ")
    }

    private static func table(_ table: TOMLTable) -> [String: ConfigurationValue] {
        var entries: [String: ConfigurationValue] = [:]
        for key in table.keys {
            if let value = table[key] { entries[key] = self.value(value) }
        }
        return entries
    }

    private static func value(_ value: any TOMLValueConvertible) -> ConfigurationValue {
        switch value.type {
        case .string: value.string.map { .string($0) } ?? .other("")
        case .int: value.int.map { .number($0) } ?? .other("")
        case .double: value.double.map { .decimal($0) } ?? .other("")
        case .bool: value.bool.map { .flag($0) } ?? .other("")
        case .table: value.table.map { .table(table($0)) } ?? .table([:])
        case .array: .list(value.array.map { array in array.indices.map { self.value(array[$0]) } } ?? [])
        case .date, .time, .dateTime: .other(value.debugDescription)
        }
    }
}
