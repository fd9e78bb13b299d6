import NIOSSL

/// Which versions of TLS a server speaks, and by which cipher suites.
package struct TLSProtocols: Sendable, Hashable {
    package enum Lowest: String, Sendable, Hashable, CaseIterable {
        case tls12 = "1.2"
        case tls13 = "1.3"
    }

    package var lowest = Lowest.tls12
    /// Suites of TLS 1.2 by their IANA names; empty: those with forward secrecy and authenticated encryption. Those of
    /// 1.3 cannot be chosen, and are all good.
    package var ciphers: [String] = []

    package init() {}

    /// Keys of their own for each connection, and encryption that authenticates: what was recorded stays secret when the server's
    /// key is stolen, and there is no padding to try.
    private static let forwardSecret: [String: NIOTLSCipher] = [
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": .TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384": .TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": .TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": .TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384": .TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256": .TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    ]

    /// For clients that know nothing better; whoever names one wants it.
    private static let others: [String: NIOTLSCipher] = [
        "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA": .TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA,
        "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA": .TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA,
        "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA": .TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,
        "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA": .TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA,
        "TLS_RSA_WITH_AES_128_GCM_SHA256": .TLS_RSA_WITH_AES_128_GCM_SHA256,
        "TLS_RSA_WITH_AES_256_GCM_SHA384": .TLS_RSA_WITH_AES_256_GCM_SHA384,
        "TLS_RSA_WITH_AES_128_CBC_SHA": .TLS_RSA_WITH_AES_128_CBC_SHA,
        "TLS_RSA_WITH_AES_256_CBC_SHA": .TLS_RSA_WITH_AES_256_CBC_SHA,
    ]

    private static func suite(_ name: String) -> NIOTLSCipher? { forwardSecret[name] ?? others[name] }

    /// Why they cannot be spoken, of a section of the options; nil where they can.
    func problem(_ section: String) -> String? {
        guard let unknown = ciphers.first(where: { Self.suite($0) == nil }) else { return nil }
        return
            "\(section).tls_ciphers has no suite \(unknown.prefix(80)): they are named as in TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
    }

    /// There is no ``problem(_:)``: a suite that is not known here is left out.
    func apply(to configuration: inout TLSConfiguration) {
        configuration.minimumTLSVersion = lowest == .tls12 ? .tlsv12 : .tlsv13
        // Sorted, so that two servers of one configuration prefer the same.
        let names = ciphers.isEmpty ? Self.forwardSecret.keys.sorted() : ciphers
        configuration.cipherSuiteValues = names.compactMap(Self.suite)
    }
}
