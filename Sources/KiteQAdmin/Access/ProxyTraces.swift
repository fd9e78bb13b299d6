import HTTPTypes

/// What proxies leave in a request that they hand on. A caller can leave it, too, and gains nothing by that.
enum ProxyTraces {
    /// The standard's and the customary ones, and those of proxies, clouds and caches that add none of these by themselves.
    private static let names: Set<String> = [
        "via", "x-real-ip", "x-client-ip", "x-cluster-client-ip", "x-remote-ip", "x-remote-addr", "x-proxyuser-ip",
        "x-host", "x-scheme", "x-url-scheme", "x-rewrite-url", "client-ip", "remote-addr", "true-client-ip",
        "proxy-client-ip", "wl-proxy-client-ip", "fastly-client-ip", "x-appengine-user-ip",
        "x-amz-cf-id", "x-varnish", "cdn-loop", "front-end-https",
    ]
    private static let beginnings = [
        "forwarded", "x-forwarded", "x-original-", "x-envoy-", "x-azure-", "x-akamai-", "x-arr-", "cf-",
    ]

    static func are(in headers: HTTPFields) -> Bool {
        headers.contains { field in
            let name = field.name.canonicalName
            return names.contains(name) || beginnings.contains { name.hasPrefix($0) }
        }
    }
}
