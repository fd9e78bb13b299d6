extension ConfigurationCodec where Value == Endpoint? {
    /// Where the administration listens; "" is nowhere. KITEQ_ADMIN is for the commands as well, which take a URL: so is this.
    static var adminEndpoint: Self {
        text(
            "HOST:PORT, http://HOST:PORT, https://HOST:PORT or \"\"",
            parse: { text in
                if text.isEmpty { return .some(nil) }
                var address = text[...]
                for scheme in ["http://", "https://"] where address.hasPrefix(scheme) {
                    address = address.dropFirst(scheme.count)
                    if address.hasSuffix("/") { address.removeLast() }
                }
                return Endpoint(address).map { .some($0) }
            }, write: { $0?.description ?? "" })
    }
}
