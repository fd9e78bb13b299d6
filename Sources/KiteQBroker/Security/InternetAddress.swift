#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// An IPv4 or IPv6 address. An IPv4 address in the clothes of IPv6 (`::ffff:a.b.c.d`), as sockets for both have them, is that
/// IPv4 address.
package struct InternetAddress: Sendable, Hashable, CustomStringConvertible {
    /// 16; an IPv4 address is its last four, behind ten zeros and two 255s.
    package let bytes: [UInt8]

    /// `a.b.c.d`, or IPv6 with or without brackets; a zone is left out. Nil for anything else, such as `127.1`.
    package init?(_ text: some StringProtocol) {
        var text = String(text)
        if text.hasPrefix("["), text.hasSuffix("]") {
            text = String(text.dropFirst().dropLast())
            guard text.contains(":") else { return nil }
        }
        if text.contains(":"), let zone = text.firstIndex(of: "%") { text = String(text[..<zone]) }
        // C would not see what is behind it.
        guard !text.utf8.contains(0) else { return nil }
        var bytes = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET6, text, &bytes) == 1 {
            self.bytes = bytes
            return
        }
        var four = [UInt8](repeating: 0, count: 4)
        guard inet_pton(AF_INET, text, &four) == 1 else { return nil }
        self.bytes = [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF] + four
    }

    package var isIPv4: Bool {
        bytes.prefix(10).allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
    }

    /// What counts for one: an IPv4 address, or the /64 that a host with IPv6 has for itself.
    package var place: String { isIPv4 ? description : Hexadecimal.text(bytes.prefix(8)) + "/64" }

    /// What holds the place, and has a share for all that it holds: an IPv4 address itself, or the /48 that a site with IPv6 has, which
    /// are 65,536 places.
    /// - Parameter place: as ``place``; anything else is its own.
    package static func network(ofPlace place: String) -> String {
        place.hasSuffix("/64") ? place.prefix(12) + "/48" : place
    }

    package var description: String {
        if isIPv4 { return bytes[12...].map(String.init).joined(separator: ".") }
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        guard inet_ntop(AF_INET6, bytes, &text, socklen_t(text.count)) != nil else { return Hexadecimal.text(bytes) }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
