import Testing

@testable import KiteQCore

@Suite struct BindingAddressTests {
    @Test(arguments: [
        ("localhost:13800", "localhost", 13800), ("10.0.0.1:1", "10.0.0.1", 1), ("[::1]:65535", "::1", 65535),
        ("交易.example:13800", "交易.example", 13800),
    ])
    func reads(_ text: String, _ host: String, _ port: Int) throws {
        let address = try #require(BrokerAddress(text))
        #expect(address == BrokerAddress(host: host, port: port))
        #expect(address.description == text)
    }

    @Test(arguments: [
        "", "localhost", ":13800", "localhost:", "localhost:0", "localhost:65536", "localhost:-1", "localhost:+1",
        "localhost:1x", "::1:13800", "[]:1", "a/b:1", "a b:1", "localhost:99999999999999999999", "a\u{0}:1",
    ])
    func refuses(_ text: String) {
        #expect(BrokerAddress(text) == nil)
    }
}
