package import NIOCore

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// Where a client connects from.
package struct Peer: Sendable, Hashable, CustomStringConvertible {
    /// What is counted for one: an IPv4 address, or the /64 that a host with IPv6 has for itself.
    package let address: String
    /// Address and port, for the log.
    package let description: String

    /// One that calls without a connection of its own, such as over HTTP.
    static let caller = Peer(address: "caller", description: "caller")

    private init(address: String, description: String) {
        self.address = address
        self.description = description
    }

    package init(_ remote: SocketAddress?) {
        description = remote.map { "\($0.ipAddress ?? "?"):\($0.port ?? 0)" } ?? "unknown"
        let text = remote?.ipAddress ?? "unknown"
        address = Self.v6(text).map { Self.place($0) } ?? text
    }

    /// An IPv4 client of a socket that listens for both comes as ::ffff:a.b.c.d.
    private static func place(_ bytes: [UInt8]) -> String {
        let isMapped = bytes.prefix(10).allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
        return isMapped
            ? bytes[12...].map(String.init).joined(separator: ".") : Hexadecimal.text(bytes.prefix(8)) + "/64"
    }

    /// The 16 bytes of an IPv6 address; nil for any other text.
    private static func v6(_ text: String) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 16)
        return inet_pton(AF_INET6, text, &bytes) == 1 ? bytes : nil
    }
}
