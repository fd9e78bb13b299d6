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
        try self.init(path: path, bytes: file.bytes, isSecret: rule != nil)
        facts = file.facts
    }

    init(path: String, text: String, isSecret: Bool = false) throws(CommandError) {
        try self.init(path: path, bytes: Array(text.utf8), isSecret: isSecret)
    }

    init(path: String, bytes: [UInt8], isSecret: Bool) throws(CommandError) {
        self.path = path
        content = FileContent(path: path, bytes: bytes)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw CommandError("the \(isSecret ? "" : "configuration ")file \(path) is not UTF-8 text")
        }
        if let (line, why) = TOMLLines.objection(to: bytes) { throw CommandError("\(path), line \(line): \(why)") }
        if let (line, why) = TOMLValues.objection(to: bytes) { throw CommandError("\(path), line \(line): \(why)") }
        try Self.refuseNUL(in: text, path)
        let root: TOMLTable
        do {
            root = try TOMLTable(string: text)
        } catch let error as TOMLParseError {
            let place = "line \(error.source.begin.line), column \(error.source.begin.column)"
            throw CommandError(
                "\(path), \(place): \(isSecret ? "not TOML" : VisibleText.shortened(Self.oneLine(error.description)))")
        } catch {
            throw CommandError("\(path) is no TOML\(isSecret ? "" : ": \(error)")")
        }
        let sections: [String: ConfigurationValue]
        do throws(TOMLReader.Refusal) {
            // The tables inside are windows into this one.
            sections = try withExtendedLifetime(root) { () throws(TOMLReader.Refusal) in try TOMLReader.table(root) }
        } catch {
            throw CommandError("\(path): \(error.sentence)")
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

    private static func oneLine(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).joined(separator: " ")
    }

    /// The library ends a text where it has a NUL, and would give half of a name, or of a secret, as the whole.
    private static func refuseNUL(in text: String, _ path: String) throws(CommandError) {
        for escape in ["\\u0000", "\\U00000000", "\\x00"] where text.utf8.firstRange(of: escape.utf8) != nil {
            throw CommandError("\(path): no text may hold the character NUL (\(escape))")
        }
    }
}
