import KiteQAdmin
import KiteQBroker

/// Who may use the administration's address, as the options say it.
struct AdminOptions: Sendable, Hashable {
    enum Anonymous: String, Sendable, Hashable, CaseIterable {
        case no, counts, read, operate
    }

    /// Who sees `/metrics`.
    enum Metrics: String, Sendable, Hashable, CaseIterable {
        /// Whoever calls the broker by a name of its own.
        case open
        /// Whoever shows a token for all topics and groups.
        case token
    }

    enum ReadyShards: String, Sendable, Hashable, CaseIterable {
        case any, all
    }

    /// Files in PEM; "" is none.
    var tlsCertificate = ""
    var tlsKey = ""
    var tlsClientCA = ""
    var tlsClientCRL = ""
    var tlsProtocols = TLSProtocols()
    /// How long browsers that came over TLS are to come by it alone; zero: they are to forget that.
    var hstsMaxAge = Duration.seconds(30 * 86_400)
    /// "" is none.
    var tokensFile = ""
    /// What whoever shows no token may do; nil: `operate` on loopback without a file of tokens, else `no`.
    var allowAnonymous: Anonymous?
    var metrics = Metrics.open
    /// Whether `/readyz` calls a broker ready that can use some of its shards alone.
    var readyShards = ReadyShards.any
    /// Names that the address may be reached by without a credential, besides addresses, localhost and those of `admin.bind` and
    /// `broker.advertised`.
    var hosts: [String] = []
    /// The largest body of a publish over HTTP, and bodies that are read or worked on at a time, bytes.
    var publishBody = AdminLimits().publishBody
    var bodyMemory = AdminLimits().bodyMemory
    /// Proxies whose word counts for where a request comes from.
    var trustedProxies: [AddressRange] = []
}

extension ConfigurationCodec where Value == AdminOptions.Anonymous? {
    /// "" leaves it to where it listens.
    static var anonymous: Self {
        text(
            "one of no, counts, read, operate, or \"\"",
            parse: { text in text.isEmpty ? .some(nil) : AdminOptions.Anonymous(rawValue: text).map { .some($0) } },
            write: { $0?.rawValue ?? "" })
    }
}
