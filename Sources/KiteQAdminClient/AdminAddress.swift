import Foundation

/// Where a broker's administration answers: a scheme, a host and a port, nothing else.
package struct AdminAddress: Sendable, Hashable, CustomStringConvertible {
    package let isEncrypted: Bool
    /// Without the brackets of an IPv6 address.
    package let host: String
    package let port: Int

    /// `http://HOST:PORT`, `https://HOST:PORT`, or `HOST:PORT`, which is the former. Without a port 80 or 443.
    ///
    /// Nil for anything else: a user or a password, a path, a query. A token does not belong into an address, where `ps`
    /// and logs show it.
    package init?(_ text: String) {
        let url = text.contains("://") ? text : "http://\(text)"
        guard let parts = URLComponents(string: url), let scheme = parts.scheme?.lowercased(),
            scheme == "http" || scheme == "https", parts.user == nil, parts.password == nil, parts.query == nil,
            parts.fragment == nil, parts.path.isEmpty || parts.path == "/", var host = parts.host, !host.isEmpty
        else { return nil }
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        let port = parts.port ?? (scheme == "https" ? 443 : 80)
        guard (1...65_535).contains(port), !host.isEmpty else { return nil }
        (isEncrypted, self.host, self.port) = (scheme == "https", host.lowercased(), port)
    }

    /// Whether what is sent there stays on this machine. Names are not resolved: but for `localhost` they are elsewhere.
    package var isLoopback: Bool {
        if host == "localhost" || host == "::1" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }

    package var description: String {
        "\(isEncrypted ? "https" : "http")://\(host.contains(":") ? "[\(host)]" : host):\(port)"
    }
}
