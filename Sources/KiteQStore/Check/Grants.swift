/// What a user may do, read from the lines of `SHOW GRANTS`.
struct Grants: Sendable, Hashable {
    private struct Grant: Sendable, Hashable {
        var privileges: Set<String>
        /// A pattern with `%`, `_` and `\`, or `*`; nil for all databases.
        var database: String?
        var isWholeDatabase: Bool
    }

    private var grants: [Grant] = []
    /// Roles, whose privileges the lines need not show.
    private(set) var hasRoles = false

    init(_ lines: [String]) {
        for line in lines {
            guard line.hasPrefix("GRANT "), let on = line.firstRange(of: " ON ") else {
                if line.hasPrefix("GRANT ") { hasRoles = true }
                continue
            }
            let privileges = line[line.index(line.startIndex, offsetBy: 6)..<on.lowerBound]
            let names = Self.split(privileges).map { $0.uppercased().replacing("_", with: " ") }
            guard let (database, object) = Self.object(line[on.upperBound...]) else { continue }
            grants.append(
                Grant(
                    privileges: Set(names), database: database == "*" ? nil : database,
                    isWholeDatabase: object == "*"))
        }
    }

    /// At the commas that stand in no brackets: `SELECT (a, b), INSERT`.
    private static func split(_ text: Substring) -> [String] {
        var depth = 0
        var parts = [""]
        for character in text {
            if character == "(" { depth += 1 }
            if character == ")" { depth -= 1 }
            if character == ",", depth == 0 { parts.append("") } else { parts[parts.count - 1].append(character) }
        }
        return parts.map { part in String(part.drop { $0 == " " }) }
    }

    /// The database and what is in it, of `` `a`.* TO … ``.
    private static func object(_ text: Substring) -> (String, String)? {
        var rest = text
        func name() -> String? {
            guard rest.first == "`" else {
                let word = rest.prefix { $0 != "." && $0 != " " }
                rest = rest.dropFirst(word.count)
                return word.isEmpty ? nil : String(word)
            }
            rest = rest.dropFirst()
            var name = ""
            while let character = rest.popFirst() {
                if character == "`" {
                    guard rest.first == "`" else { return name }
                    rest = rest.dropFirst()
                }
                name.append(character)
            }
            return nil
        }
        guard let database = name(), rest.popFirst() == ".", let object = name() else { return nil }
        return (database, object)
    }

    // MARK: Asking

    /// Of these privileges those that the user lacks in a database as a whole.
    func lacks(_ privileges: [String], in database: String) -> [String] {
        let granted = grants.filter {
            $0.isWholeDatabase && ($0.database.map { Self.matches(Array($0.unicodeScalars), database) } ?? true)
        }
        if granted.contains(where: { $0.privileges.contains { $0.hasPrefix("ALL PRIVILEGES") } }) { return [] }
        return privileges.filter { privilege in !granted.contains { $0.privileges.contains(privilege) } }
    }

    /// Those that put the user above `read_only`.
    var aboveReadOnly: [String] {
        let all = grants.filter { $0.database == nil }.reduce(into: Set<String>()) { $0.formUnion($1.privileges) }
        if all.contains(where: { $0.hasPrefix("ALL PRIVILEGES") }) { return ["ALL PRIVILEGES"] }
        return ["SUPER", "READ ONLY ADMIN", "CONNECTION ADMIN"].filter { all.contains($0) }
    }

    /// As the server matches a database's name: `%` any characters, `_` one, `\` takes the meaning of what follows.
    private static func matches(_ pattern: [Unicode.Scalar], _ name: String) -> Bool {
        func match(_ pattern: ArraySlice<Unicode.Scalar>, _ name: ArraySlice<Unicode.Scalar>) -> Bool {
            guard let first = pattern.first else { return name.isEmpty }
            switch first {
            case "%":
                return (name.startIndex...name.endIndex).contains { match(pattern.dropFirst(), name[$0...]) }
            case "_": return !name.isEmpty && match(pattern.dropFirst(), name.dropFirst())
            case "\\" where pattern.count > 1:
                let literal = pattern.dropFirst()
                return name.first == literal.first && match(literal.dropFirst(), name.dropFirst())
            default: return name.first == first && match(pattern.dropFirst(), name.dropFirst())
            }
        }
        return match(pattern[...], Array(name.unicodeScalars)[...])
    }
}
