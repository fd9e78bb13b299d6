import HTTPTypes
import KiteQBroker

/// What is known of where a request comes from, before any credential of it is looked at.
struct RequestSource: Sendable, Hashable {
    enum Way: Sendable, Hashable {
        /// Nothing says that it was handed on.
        case direct
        case trustedProxies
        /// Somebody handed it on who is not known here: who began it cannot be told.
        case otherProxies
    }

    /// For the log and the audit log: an address, or `local`.
    var remote: String
    /// What counts for one: see `InternetAddress.place`.
    var place: String
    /// Every name by which it calls the broker: what `Host` and the target say, and behind a proxy what that says it was called. Those
    /// that are none are nil.
    var hosts: [HostName?]
    var way: Way

    /// - Parameter peer: the other end of the connection; nil where it has no address.
    init(_ request: HTTPRequest, peer: InternetAddress?, proxies: TrustedProxies) {
        let headers = request.headerFields
        let isForwarded = ProxyTraces.are(in: headers)
        let isTrusted = peer.map(proxies.contains) ?? false
        way = isForwarded ? (isTrusted ? .trustedProxies : .otherProxies) : .direct
        let client = peer.map { proxies.client($0, forwardedFor: headers[values: .xForwardedFor]) }
        remote = client?.description ?? "local"
        place = client?.place ?? "local"
        var names = (request.authority.map { [$0] } ?? []) + headers[values: .furtherHost]
        for field in [HTTPField.Name.xForwardedHost, .xOriginalHost] {
            names += headers[values: field].flatMap { $0.split(separator: ",") }.map { $0.filter { $0 != " " } }
        }
        hosts = names.map { HostName($0) }
    }
}

extension HTTPField.Name {
    /// Of several the first is the request's authority, and no longer a header.
    static let furtherHost = HTTPField.Name("Host")!
    static let xForwardedFor = HTTPField.Name("X-Forwarded-For")!
    static let xForwardedHost = HTTPField.Name("X-Forwarded-Host")!
    static let xOriginalHost = HTTPField.Name("X-Original-Host")!
}
