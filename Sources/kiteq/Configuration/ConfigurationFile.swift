import Foundation
import KiteQCore
import TOMLKit

/// A TOML file, as the values its keys have; keys are `section.name`.
struct ConfigurationFile: Sendable {
    let path: String
    let values: [String: ConfigurationValue]
    let content: FileContent
    /// Nil where it was no file.
    private(set) var facts: FileFacts?

    /// - Throws: ``CommandError`` where the file cannot be read, is no TOML, or has a key outside of a section.
    /// - Parameter rule: of a file of secrets, who else may reach it: nothing of its text is repeated in an error then, only where it is.
    ///   Nil for any other.
    init(path: String, secret rule: SecretFileRule? = nil) throws(CommandError) {
        let file: GuardedFile
        do {
            file = try GuardedFile(path, rule ?? .unchecked)
        } catch {
            throw CommandError("the \(rule == nil ? "configuration " : "")file \(path) \(error)")
        }
        guard let text = String(validating: file.bytes, as: UTF8.self) else {
            throw CommandError("the \(rule == nil ? "configuration " : "")file \(path) is not UTF-8 text")
        }
        try self.init(path: path, text: text, isSecret: rule != nil)
        facts = file.facts
    }

    init(path: String, text: String, isSecret: Bool = false) throws(CommandError) {
        self.path = path
        content = FileContent(path: path, bytes: Array(text.utf8))
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
