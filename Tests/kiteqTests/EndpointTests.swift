import Testing

@testable import kiteq

@Suite struct EndpointTests {
    @Test(arguments: [("127.0.0.1:13800", "127.0.0.1", 13_800), ("[::1]:0", "::1", 0), ("db:65535", "db", 65_535)])
    func itReadsWhatItWrites(text: String, host: String, port: Int) throws {
        let endpoint = try #require(Endpoint(text))
        #expect(endpoint.host == host)
        #expect(endpoint.port == port)
        #expect(endpoint.description == text)
    }

    @Test(arguments: ["", "host", ":1", "host:", "host:x", "host:-1", "host:65536", "::1:80", "a b:1", "a/b:1"])
    func anythingElseIsRefused(text: String) {
        #expect(Endpoint(text) == nil)
    }
}
