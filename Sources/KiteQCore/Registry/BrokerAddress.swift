/// Where a broker listens: the `host:port` that the registry hands to clients.
package struct BrokerAddress: Sendable, Hashable {
    /// A name or a numeric address; an IPv6 address without brackets.
    package var host: String
    /// 1 to 65535.
    package var port: Int

    package init(host: String, port: Int) {
        precondition((1...65535).contains(port), "a port is 1 to 65535, not \(port)")
        self.host = host
        self.port = port
    }

    /// Reads `host:port` or `[v6]:port`; nil where there is no host, or the port is not 1 to 65535, or the host could
    /// not be part of a path in the registry.
    package init?(_ text: some StringProtocol) {
        guard let (host, port) = Self.parts(of: text, ports: 1...65_535) else { return nil }
        self.init(host: host, port: port)
    }

    /// `host:port` or `[v6]:port`, taken apart; nil where there is no host, or the port is none of these, or the host could not be
    /// part of a path in the registry.
    package static func parts(
        of text: some StringProtocol, ports: ClosedRange<Int>
    ) -> (host: String, port: Int)? {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let digits = text[text.index(after: colon)...]
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (48...57).contains($0) }), let port = Int(digits),
            ports.contains(port)
        else { return nil }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast())
        } else if host.contains(":") {
            return nil  // An IPv6 address without brackets: which colon ends it is a guess.
        }
        guard !host.isEmpty, host.unicodeScalars.allSatisfy({ $0.value > 0x20 && $0 != "/" && $0.value != 0x7F })
        else { return nil }
        return (host, port)
    }
}

extension BrokerAddress: CustomStringConvertible {
    /// `host:port`, with brackets around an IPv6 address; what ``init(_:)`` reads.
    package var description: String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}
