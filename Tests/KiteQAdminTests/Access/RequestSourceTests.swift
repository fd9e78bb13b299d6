import HTTPTypes
import KiteQBroker
import Testing

@testable import KiteQAdmin

/// Where a request comes from.
@Suite struct RequestSourceTests {
    private func source(_ forwardedFor: [String], peer: String = "127.0.0.1") throws -> RequestSource {
        var headers = HTTPFields()
        for value in forwardedFor { headers.append(HTTPField(name: .xForwardedFor, value: value)) }
        let proxies = TrustedProxies(
            try ["127.0.0.1", "10.0.0.0/8", "2001:db8::/32"].map { try #require(AddressRange($0)) })
        return .test(headers: headers, peer: peer, proxies: proxies)
    }

    @Test(arguments: [
        (["203.0.113.5"], "203.0.113.5"), (["6.6.6.6, 203.0.113.5"], "203.0.113.5"),
        (["6.6.6.6", "203.0.113.5, 10.1.2.3"], "203.0.113.5"),
        (["203.0.113.5", "10.1.2.3", "10.3.2.1"], "203.0.113.5"),
        (["203.0.113.5:4711"], "203.0.113.5"), (["[2001:db9::1]:4711"], "2001:db9::1"),
        (["2001:db9::1"], "2001:db9::1"),
        (["\"[2001:db9::1]\""], "2001:db9::1"), (["::ffff:203.0.113.5"], "203.0.113.5"),
        // All are trusted: the first of them began it.
        (["10.0.0.9, 10.0.0.1"], "10.0.0.9"),
        // What cannot be read ends the chain at who said it.
        (["203.0.113.5, unknown"], "127.0.0.1"), (["203.0.113.5, unknown, 10.0.0.7"], "10.0.0.7"), ([""], "127.0.0.1"),
        (["<script>"], "127.0.0.1"), ([], "127.0.0.1"),
    ])
    func theRightMostUntrustedAddressIsTheCallers(forwardedFor: [String], remote: String) throws {
        #expect(try source(forwardedFor).remote == remote)
    }

    /// Whoever is not trusted can say what he likes.
    @Test func nobodyElseIsBelieved() throws {
        let stranger = try source(["203.0.113.5", "127.0.0.1"], peer: "198.51.100.7")
        #expect(stranger.remote == "198.51.100.7" && stranger.place == "198.51.100.7" && stranger.way == .otherProxies)
        #expect(RequestSource.test(headers: [.xForwardedFor: "203.0.113.5"], peer: nil).remote == "local")
    }

    @Test func hostsOfOneCallersNetworkAreOnePlace() throws {
        let one = try source(["2001:db9::1"])
        let other = try source(["2001:db9::ffff:2"])
        #expect(one.place == other.place && one.remote != other.remote && one.way == .trustedProxies)
    }

    @Test(
        arguments: [
            ("/api/v1/pull", nil), ("http://evil.example/api", "evil.example"),
            ("HTTPS://evil.example:80?x", "evil.example:80"),
            ("http://a@evil.example/", "a@evil.example"), ("*", nil), ("x:/api", nil), ("/http://evil.example/", nil),
            ("http://evil.example#/api", "evil.example"),
            // To Swift these accents make other characters of what is before them.
            ("http://\u{301}evil.example/", "\u{301}evil.example"), ("/\u{338}x://evil.example", nil),
        ] as [(String, String?)])
    func aTargetMayNameTheHost(target: String, host: String?) {
        #expect(RequestForm.host(ofTarget: target) == host)
    }

    @Test(
        arguments: [
            ("kiteq.example", "kiteq.example"), ("KITEQ.example.:80", "kiteq.example"), ("127.0.0.1.", "127.0.0.1"),
            // No browser sends these, and each would be another name than it is read for.
            (".", nil), ("..", nil), (".example", nil), ("a..b", nil), ("a..", nil), ("127.0.0.1..", nil),
            ("[::1]..", nil),
        ] as [(String, String?)])
    func aNameHasSomethingBetweenItsDots(field: String, name: String?) {
        #expect(HostName(field)?.text == name)
    }
}
