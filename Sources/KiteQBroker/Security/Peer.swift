package import NIOCore

/// Where a client connects from.
package struct Peer: Sendable, Hashable, CustomStringConvertible {
    /// What is counted for one: see ``InternetAddress/place``.
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
        address = InternetAddress(text)?.place ?? text
    }
}
