import Foundation
import KiteQBroker
import KiteQCore

/// The file of `admin.tokens_file`:
///
///     [tokens.NAME]
///     role = "read"              # or "counts", "operate"
///     topics = ["trade"]         # it is for these alone; absent: for all; empty: for none
///     groups = ["s-member"]      # likewise
///     hash = "sha256:…"          # as kiteq token make prints it
///     expires = 2027-12-31       # its last day, in UTC; optional
enum TokensFile {
    static let hashName = "sha256:"

    /// What it held when it was read.
    struct Reading: Sendable {
        var tokens: [AdminToken]
        var file: ListedFile
    }

    /// - Parameter rule: who else may reach the file.
    /// - Throws: ``CommandError``, a sentence without a hash.
    static func read(_ path: String, _ rule: SecretFileRule) throws(CommandError) -> Reading {
        let file = try ConfigurationFile(path: path, secret: rule)
        let tokens = try tokens(in: file)
        let names = Set(tokens.map(\.name))
        return Reading(
            tokens: tokens, file: ListedFile(kind: "token", content: file.content, names: names, shown: names))
    }

    static func tokens(in file: ConfigurationFile) throws(CommandError) -> [AdminToken] {
        var tokens: [AdminToken] = []
        for (name, entries) in try file.entries(of: "tokens") {
            let place = "\(file.path), [tokens.\(VisibleText.shortened(name))]"
            if let unknown = entries.keys.sorted().first(where: { !keys.contains($0) }) {
                throw CommandError(
                    "\(place): there is no \(VisibleText.shortened(unknown)); there are \(keys.joined(separator: ", "))"
                )
            }
            guard case .string(let text)? = entries["role"], let role = AdminToken.Role(rawValue: text) else {
                throw CommandError("\(place): role must be counts, read or operate")
            }
            guard case .string(let text)? = entries["hash"], text.hasPrefix(hashName),
                let hash = Hexadecimal.bytes(text.dropFirst(hashName.count)), hash.count == 32
            else {
                throw CommandError(
                    "\(place): hash must be sha256: and 64 hexadecimal digits, as kiteq token make prints it")
            }
            var token = AdminToken(
                name: name, role: role, topics: try names("topics", in: entries, place),
                groups: try names("groups", in: entries, place), hash: hash)
            if let expires = entries["expires"] {
                guard let end = endOfDay(expires) else {
                    throw CommandError("\(place): expires must be a date, such as 2027-12-31")
                }
                token.expiresAt = end
            }
            tokens.append(token)
        }
        return tokens
    }

    private static let keys = ["role", "topics", "groups", "hash", "expires"]
    /// Names in one list: each page of groups and each look at a message is held against them.
    static let maxNames = 1_000

    /// The topics or groups that a token is for; nil where it does not say, and is for all.
    private static func names(
        _ key: String, in entries: [String: ConfigurationValue], _ place: String
    ) throws(CommandError) -> [String]? {
        guard let value = entries[key] else { return nil }
        let form = "\(place): \(key) must be a list of names, such as [\"trade\"]"
        guard case .list(let values) = value else { throw CommandError(form) }
        var names: [String] = []
        for value in values {
            guard case .string(let name) = value else { throw CommandError(form) }
            names.append(name)
        }
        guard names.count <= maxNames else { throw CommandError("\(place): \(key) has more than \(maxNames) names") }
        for name in names {
            if name == "*" { throw CommandError("\(place): \(key) has \"*\": leave \(key) out where it is for all") }
            guard (1...255).contains(name.utf8.count) else {
                throw CommandError("\(place): a name in \(key) has 1 to 255 bytes")
            }
        }
        return names
    }

    /// The Unix second after a day's last in UTC; nil where it is no day.
    static func endOfDay(_ value: ConfigurationValue) -> Int? {
        let text: String
        switch value {
        case .string(let given), .other(let given): text = given
        default: return nil
        }
        let numbers = text.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
        guard text.utf8.count == 10, numbers.count == 3, let year = numbers[0], let month = numbers[1],
            let day = numbers[2],
            (1_970...9_999).contains(year)
        else { return nil }
        var parts = tm()
        (parts.tm_year, parts.tm_mon, parts.tm_mday) = (Int32(year - 1_900), Int32(month - 1), Int32(day))
        let start = timegm(&parts)
        // It has been brought within the calendar: what was not there is another day now.
        guard parts.tm_mon == Int32(month - 1), parts.tm_mday == Int32(day) else { return nil }
        return start + 86_400
    }
}

extension ConfigurationFile {
    /// The tables `[SECTION.NAME]`, by name, of a file that has nothing else.
    func entries(of section: String) throws(CommandError) -> [(name: String, entries: [String: ConfigurationValue])] {
        var found: [(name: String, entries: [String: ConfigurationValue])] = []
        for (key, value) in values.sorted(by: { $0.key < $1.key }) {
            guard key.utf8.starts(with: (section + ".").utf8) else {
                throw CommandError(
                    "\(path): everything in it is of the form [\(section).NAME], not [\(VisibleText.shortened(String(key.prefix { $0 != "." })))]"
                )
            }
            let name = String(Substring(key.utf8.dropFirst(section.utf8.count + 1)))
            if name.isEmpty { continue }
            guard case .table(let entries) = value, name.utf8.count <= 255 else {
                throw CommandError(
                    "\(path): \(VisibleText.shortened(key)) must be a table [\(section).NAME] with a name of at most 255 bytes"
                )
            }
            found.append((name, entries))
        }
        return found
    }
}
