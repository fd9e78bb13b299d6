/// Where a database is, who connects, and within what times.
public struct MariaDBConfiguration: Sendable, CustomStringConvertible {
    /// One address of a server.
    public enum Server: Sendable, Hashable, CustomStringConvertible {
        /// A TCP address. `localhost` is 127.0.0.1 here, not a Unix socket.
        case tcp(host: String, port: Int)
        case socket(path: String)

        public var description: String {
            switch self {
            case .tcp(let host, let port): "\(host):\(port)"
            case .socket(let path): path
            }
        }
    }

    public enum TLS: Sendable, Hashable {
        case off
        /// Encrypted, whoever the server is.
        case required
        /// Encrypted, and the server's certificate is signed by one of these (PEM file) for its host name.
        case verified(caFile: String)
    }

    /// Addresses of one database, tried in this order: the first whose server takes writes has the connection, and the next
    /// ones begin with it. Where none takes writes, it is the first that answers, or none (``requiresWrites``).
    public var servers: [Server]
    /// There is no connection where no server takes writes. A user who is above `read_only` could write to a replica else.
    public var requiresWrites = false
    public var user: String
    public var password: String
    public var database: String?
    public var tls = TLS.off
    /// In whole seconds, at least one: the connector knows no finer ones. Each read and each write of a socket has its limit.
    public var connectTimeout: Duration = .seconds(5)
    public var readTimeout: Duration = .seconds(30)
    public var writeTimeout: Duration = .seconds(30)
    /// Run on each new connection, before anything else.
    public var sessionStatements: [String] = []
    /// Prepared statements kept for each connection; the one unused for longest goes.
    public var statementCacheSize = 64

    public init(servers: [Server], user: String, password: String, database: String? = nil) {
        self.servers = servers
        self.user = user
        self.password = password
        self.database = database
    }

    /// Without the password.
    public var description: String {
        "\(user)@\(servers.map(\.description).joined(separator: ","))" + (database.map { "/\($0)" } ?? "")
    }
}
