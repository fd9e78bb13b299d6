/// One file of sql/: plain SQL that may be run again.
package struct Migration: Sendable {
    package let version: Int
    package let name: String
    package let sql: String
    /// Run before the file, each until it changes nothing more: what one of its statements would do at once to more rows than
    /// a cluster takes (`wsrep_max_ws_rows`). What is done by hand does without.
    package var rounds: [String] = []

    /// All of them, in order; the files themselves are part of the binary. (The package manager puts an underscore for the first
    /// digit of a file's name.)
    package static let all: [Migration] = [
        Migration(
            version: 1, name: "0001_schema.sql", sql: String(decoding: PackageResources._001_schema_sql, as: UTF8.self)),
        Migration(
            version: 2, name: "0002_ownership.sql",
            sql: String(decoding: PackageResources._002_ownership_sql, as: UTF8.self)),
        Migration(
            version: 3, name: "0003_operators.sql",
            sql: String(decoding: PackageResources._003_operators_sql, as: UTF8.self)),
        Migration(
            version: 4, name: "0004_tags.sql", sql: String(decoding: PackageResources._004_tags_sql, as: UTF8.self),
            rounds: [Self.livesOfOneTag, Self.presenceOfNobody]),
        Migration(
            version: 5, name: "0005_subjects.sql",
            sql: String(decoding: PackageResources._005_subjects_sql, as: UTF8.self)),
    ]

    private static let livesOfOneTag = """
        DELETE FROM kite_incarnation WHERE number IN (SELECT number FROM (
            SELECT DISTINCT a.number FROM kite_incarnation a JOIN kite_incarnation b ON (a.number & 4095) = (b.number & 4095)
                AND a.number <> b.number
                AND ((a.state <> 0 AND b.state = 0) OR ((a.state = 0) = (b.state = 0) AND a.number < b.number))
            LIMIT 16) doomed)
        """
    private static let presenceOfNobody = """
        DELETE FROM kite_presence WHERE NOT EXISTS (
            SELECT 1 FROM kite_incarnation i WHERE i.number = kite_presence.incarnation) LIMIT 16
        """

    /// Tells whether a file was changed after it was applied: FNV-1a of its bytes.
    package var checksum: Int64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in sql.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return Int64(bitPattern: hash)
    }

    /// The statements, without comments that stand on lines of their own. No string in these files holds a semicolon at the
    /// end of a line.
    package var statements: [String] {
        var statements: [String] = []
        var current: [Substring] = []
        for line in sql.split(separator: "\n") where !line.hasPrefix("--") {
            if line.hasSuffix(";") {
                current.append(line.dropLast())
                statements.append(current.joined(separator: "\n"))
                current = []
            } else {
                current.append(line)
            }
        }
        precondition(current.allSatisfy { $0.allSatisfy(\.isWhitespace) }, "\(name) ends within a statement")
        return statements
    }
}
