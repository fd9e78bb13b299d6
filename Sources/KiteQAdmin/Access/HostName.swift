import KiteQBroker

/// The name by which a request calls the broker, as `Host` or the request's target has it: compared without its port, capital letters
/// and the dot at its end, none of which makes another name of it.
struct HostName: Sendable, Hashable {
    /// Lower case; an address in its one notation.
    let text: String
    let isAddress: Bool

    /// Nil where it is none, such as one with a user before it, a port that is no number or nothing between two dots: a browser sends
    /// no such thing.
    init?(_ field: some StringProtocol) {
        let field = field.lowercased()
        let end =
            field.hasPrefix("[") ? field.firstIndex(of: "]").map { field.index(after: $0) } : field.firstIndex(of: ":")
        var name = field[..<(end ?? field.endIndex)]
        let port = field[name.endIndex...]
        guard port.isEmpty || port.first == ":" && port.dropFirst().utf8.allSatisfy(Self.isDigit) else { return nil }
        if name.hasSuffix(".") { name.removeLast() }
        guard !name.isEmpty else { return nil }
        if let address = InternetAddress(name) {
            (text, isAddress) = (address.description, true)
        } else {
            let labels = name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
            guard labels.allSatisfy({ !$0.isEmpty }), name.unicodeScalars.allSatisfy(Self.isOfName) else { return nil }
            (text, isAddress) = (String(name), false)
        }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func isOfName(_ scalar: Unicode.Scalar) -> Bool {
        scalar.isASCII
            && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil
                || "-._".unicodeScalars.contains(scalar))
    }
}
