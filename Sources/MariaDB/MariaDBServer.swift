/// What the server at the other end is.
public struct MariaDBServer: Sendable, Hashable {
    public enum Kind: Sendable, Hashable, CustomStringConvertible {
        case mariaDB, mySQL

        /// The product's name.
        public var description: String { self == .mariaDB ? "MariaDB" : "MySQL" }
    }

    public let kind: Kind
    /// Major, minor, patch.
    public let version: [Int]
    /// As the server says it.
    public let versionText: String

    /// Reads the text of `SELECT VERSION()`, such as `10.11.14-MariaDB-0+deb12u2` or `9.7.0`.
    init(_ text: String) {
        versionText = text
        kind = text.contains("MariaDB") ? .mariaDB : .mySQL
        // Old replication-safe versions begin with 5.5.5-.
        let number = text.hasPrefix("5.5.5-") ? text.dropFirst(6) : text[...]
        version = number.prefix { $0.isNumber || $0 == "." }.split(separator: ".").prefix(3).compactMap { Int($0) }
    }

    public func isAtLeast(_ major: Int, _ minor: Int) -> Bool {
        !version.lexicographicallyPrecedes([major, minor])
    }
}
