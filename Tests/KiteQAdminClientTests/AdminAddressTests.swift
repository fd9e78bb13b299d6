import Testing

@testable import KiteQAdminClient

@Suite struct AdminAddressTests {
    @Test(arguments: [
        ("http://127.0.0.1:13801", "http://127.0.0.1:13801"), ("127.0.0.1:13801", "http://127.0.0.1:13801"),
        ("localhost:1/", "http://localhost:1"), ("https://DB.example", "https://db.example:443"),
        ("HTTP://[::1]:8", "http://[::1]:8"), ("http://a", "http://a:80"), ("broker-1:65535", "http://broker-1:65535"),
    ])
    func anAddressIsAHostAndAPort(text: String, address: String) throws {
        #expect(try #require(AdminAddress(text)).description == address)
    }

    @Test(arguments: [
        "", "http://", "ftp://a:1", "http://user:hush@a:1", "http://token@a:1", "http://a:1/api", "http://a:1?x=1",
        "http://a:1#x", "a:0", "a:65536", "a:b", "://a:1", "http://a b:1",
    ])
    func anythingElseIsNone(text: String) {
        #expect(AdminAddress(text) == nil)
    }

    @Test(arguments: [
        ("localhost:1", true), ("127.0.0.1:1", true), ("127.8.9.10:1", true), ("[::1]:1", true), ("LOCALHOST:1", true),
        ("127.0.0.1.evil.example:1", false), ("127.evil:1", false), ("128.0.0.1:1", false), ("10.0.0.1:1", false),
        ("localhost.evil.example:1", false), ("[::2]:1", false), ("0.0.0.0:1", false), ("127.0.0.999:1", false),
    ])
    func loopbackIsKnownByItsName(text: String, isLoopback: Bool) throws {
        #expect(try #require(AdminAddress(text)).isLoopback == isLoopback)
    }

    @Test func aTokenDoesNotCrossTheNetworkUnencrypted() throws {
        let away = try #require(AdminAddress("http://broker-1:13801"))
        #expect {
            try AdminClientConfiguration(address: away, token: "t0ken")
        } throws: { error in
            "\(error)".contains("--insecure") && !"\(error)".contains("t0ken")
        }
        #expect(try AdminClientConfiguration(address: away, token: nil).token == nil)
        #expect(try AdminClientConfiguration(address: away, token: "t", allowsTokenInClear: true).token == "t")
        for text in ["https://broker-1:13801", "127.0.0.1:13801"] {
            #expect(try AdminClientConfiguration(address: #require(AdminAddress(text)), token: "t").token == "t")
        }
    }

    @Test(arguments: ["", "two words", "line\r\nX-Role: operate", "ü", "\u{7F}"])
    func aTokenIsVisibleASCII(token: String) throws {
        let address = try #require(AdminAddress("127.0.0.1:1"))
        #expect(throws: AdminClientError.self) { try AdminClientConfiguration(address: address, token: token) }
    }

    @Test func authoritiesAreReadBeforeAnythingIsAsked() throws {
        let address = try #require(AdminAddress("https://127.0.0.1:1"))
        #expect(throws: AdminClientError.self) {
            try AdminClientConfiguration(address: address, token: nil, authoritiesFile: "/nowhere/ca.pem")
        }
        #expect(throws: AdminClientError.self) {
            try AdminClientConfiguration(address: address, token: nil, authoritiesFile: "/dev/null")
        }
    }
}
