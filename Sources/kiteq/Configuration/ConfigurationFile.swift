import Foundation
import KiteQCore

/// A TOML file, as the values its keys have; keys are `section.name`.
struct ConfigurationFile: Sendable {
    let path: String
    let values: [String: ConfigurationValue]
    let content: FileContent
    /// Nil where it was no file.
    private(set) var facts: FileFacts?

    /// - Throws: ``CommandError`` where the file cannot be read, is no TOML, or has a key outside of a section.
    /// - Parameter rule: of a file of secrets, who else may reach it. Nil for any other.
    init(path: String, secret rule: SecretFileRule? = nil) throws(CommandError) {
        let file: GuardedFile
        do {
            file = try GuardedFile(path, rule ?? .unchecked)
        } catch {
            throw CommandError("the \(rule == nil ? "configuration " : "")file \(path) \(error)")
        }
        try self.init(path: path, bytes: file.bytes)
        facts = file.facts
    }

    init(path: String, text: String) throws(CommandError) {
        try self.init(path: path, bytes: Array(text.utf8))
    }

    init(path: String, bytes: [UInt8]) throws(CommandError) {
        self.path = path
        content = FileContent(path: path, bytes: bytes)
        let sections: [String: ConfigurationValue]
        do {
            sections = try TOMLParser.table(of: bytes).configuration()
        } catch {
            throw CommandError("\(path), \(error.sentence(of: bytes))")
        }
        var values: [String: ConfigurationValue] = [:]
        for (section, content) in sections {
            guard case .table(let entries) = content else {
                throw CommandError(
                    "\(path): \(VisibleText.shortened(section)) stands outside of a section; every option belongs to one, such as [broker]"
                )
            }
            // Its entries would be those of another section.
            guard !section.unicodeScalars.contains(".") else {
                throw CommandError(
                    "\(path): the name of a section has no dot, as \(VisibleText.shortened(section)) has")
            }
            for (name, value) in entries { values["\(section).\(name)"] = value }
            // So that an unknown section is found even where it is empty.
            if entries.isEmpty { values["\(section)."] = .table([:]) }
        }
        self.values = values
    }
}
