import KiteQCore

/// Where to listen or connect: `HOST:PORT`, with brackets around an IPv6 address.
struct Endpoint: Sendable, Hashable {
    var host: String
    /// 0 picks a free one.
    var port: Int

    init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Nil where there is no host, or the port is not from 0 to 65535.
    init?(_ text: some StringProtocol) {
        guard let (host, port) = BrokerAddress.parts(of: text, ports: 0...65_535) else { return nil }
        self.init(host: host, port: port)
    }
}

extension Endpoint {
    /// Whether only this machine can reach it. A name may mean any address: of names only localhost counts.
    var isLoopback: Bool {
        if host == "localhost" || host == "::1" { return true }
        let bytes = host.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        return bytes.count == 4 && bytes[0] == 127 && !bytes.contains(nil)
    }
}

extension Endpoint: CustomStringConvertible {
    var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
