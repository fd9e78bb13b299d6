import NIOSSL
import Testing

@testable import KiteQAdmin

/// What browsers are told of TLS.
@Suite struct TransportPolicyTests {
    private static func hosts(_ names: String...) -> [HostName?] { names.map { HostName($0) } }

    @Test func itIsSaidOverTLSForANameOfItsOwnAlone() throws {
        let context = try NIOSSLContext(configuration: .makeClientConfiguration())
        let tls = AdminTLS(context, maxAge: .seconds(86_400))
        #expect(tls.transportPolicy(for: Self.hosts("kiteq.example:13801")) == "max-age=86400")
        for names in [
            Self.hosts(), Self.hosts("127.0.0.1"), Self.hosts("[::1]:1"), Self.hosts("10.1.2.3:443"),
            Self.hosts("localhost"), Self.hosts("LOCALHOST.:1"), Self.hosts("console.localhost"),
            Self.hosts("kiteq.example", "localhost"), [nil],
        ] {
            #expect(tls.transportPolicy(for: names) == nil, "\(names)")
        }
        tls.set(context, maxAge: .zero)
        #expect(tls.transportPolicy(for: Self.hosts("kiteq.example")) == "max-age=0", "they are to forget it")
        tls.set(context)
        #expect(tls.transportPolicy(for: Self.hosts("kiteq.example")) == nil)
        // Over plain HTTP anybody on the way could say it.
        #expect(AdminTLS(nil, maxAge: .seconds(1)).transportPolicy(for: Self.hosts("kiteq.example")) == nil)
    }
}
