import KiteQAdmin
import KiteQBroker

/// Who may use the administration's address, as the options say it.
struct AdminOptions: Sendable, Hashable {
    enum Anonymous: String, Sendable, Hashable, CaseIterable {
        case no, read, operate
    }

    enum ReadyShards: String, Sendable, Hashable, CaseIterable {
        case any, all
    }

    /// Files in PEM; "" is none.
    var tlsCertificate = ""
    var tlsKey = ""
    var tlsClientCA = ""
    var tlsProtocols = TLSProtocols()
    /// "" is none.
    var tokensFile = ""
    /// What whoever shows no token may do; nil: `operate` on loopback without a file of tokens, else `no`.
    var allowAnonymous: Anonymous?
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
            "one of no, read, operate, or \"\"",
            parse: { text in text.isEmpty ? .some(nil) : AdminOptions.Anonymous(rawValue: text).map { .some($0) } },
            write: { $0?.rawValue ?? "" })
    }
}
