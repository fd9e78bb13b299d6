import MariaDB

/// Connections of a broker to one server, as `kite_incarnation.connection_ids` has them: `start:id,id,…`, and behind the ids `@`
/// with a hash of the server's identity, and `+` where the broker has more than these.
///
/// Ids mean something on their own server alone. Behind a proxy each pool, and each connection, may have found another one.
struct ConnectionIDs: Sendable, Hashable {
    var startedAt: Int64
    var numbers: [UInt64]
    /// `serverMark(of:)`; nil in rows that do not say.
    private(set) var server: String?
    /// Whether these are all that the broker has: only then does their absence say that it is gone.
    private(set) var isWhole = true

    /// As many as the column has room for; a pool has a few.
    private static let limit = 200

    /// Of these those to one server.
    init(_ threads: [MariaDBThread], on server: String, startedAt: Int64) {
        self.startedAt = startedAt
        numbers = Array(
            threads.filter { $0.serverIdentity == server && $0.isProven }.map(\.id).suffix(Self.limit))
        self.server = serverMark(of: server)
        isWhole = numbers.count == threads.count
    }

    /// Nil where the text is none.
    init?(text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let start = Int64(parts[0]) else { return nil }
        startedAt = start
        let elements = parts[1].split(separator: ",")
        numbers = elements.compactMap { UInt64($0) }
        server = elements.first { $0.hasPrefix("@") }.map { String($0.dropFirst()) }
        isWhole = !elements.contains("+")
    }

    var text: String {
        let marks = (server.map { ["@\($0)"] } ?? []) + (isWhole ? [] : ["+"])
        return "\(startedAt):" + (numbers.map(String.init) + marks).joined(separator: ",")
    }

    /// Whether the server that gave out these numbers is this one, and was not started anew since. Two may have been started at
    /// once.
    func areOf(_ server: String, startedAt start: Int64) -> Bool {
        abs(start - startedAt) <= 2 && (self.server == nil || self.server == serverMark(of: server))
    }
}
