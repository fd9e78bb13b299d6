import HTTPTypes
import KiteQBroker

@testable import KiteQAdmin

extension RequestSource {
    /// That of a request with these headers.
    static func test(
        host: String? = "localhost", headers: HTTPFields = [:], peer: String? = "127.0.0.1",
        proxies: TrustedProxies = TrustedProxies()
    ) -> RequestSource {
        let request = HTTPRequest(method: .get, scheme: "http", authority: host, path: "/", headerFields: headers)
        return RequestSource(request, peer: peer.flatMap { InternetAddress($0) }, proxies: proxies)
    }
}
