package import KiteQBroker

/// The proxies whose word counts for where a request comes from.
package struct TrustedProxies: Sendable, Hashable {
    private let ranges: [AddressRange]

    package init(_ ranges: [AddressRange] = []) { self.ranges = ranges }

    func contains(_ address: InternetAddress) -> Bool { ranges.contains { $0.contains(address) } }

    /// The address that a request comes from: the right-most that is not one of these proxies, for each of them adds the one that it
    /// got the request from. What stands left of that one the caller has written himself.
    ///
    /// - Parameters:
    ///   - peer: the other end of the connection.
    ///   - forwardedFor: the values of `X-Forwarded-For`, in their order.
    func client(_ peer: InternetAddress, forwardedFor: [String]) -> InternetAddress {
        var client = peer
        let told = forwardedFor.flatMap { $0.split(separator: ",") }.reversed()
        var entries = told.makeIterator()
        while contains(client), let entry = entries.next() {
            // A proxy that does not know says `unknown`, or what somebody made it say: nothing left of it is known either.
            guard let address = Self.address(entry) else { break }
            client = address
        }
        return client
    }

    /// With or without a port, as some proxies add one.
    private static func address(_ entry: Substring) -> InternetAddress? {
        let text = entry.filter { $0 != " " && $0 != "\t" && $0 != "\"" }
        if let address = InternetAddress(text) { return address }
        guard let colon = text.lastIndex(of: ":") else { return nil }
        return InternetAddress(text[..<colon])
    }
}
