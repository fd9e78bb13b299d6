import KiteQStore

extension ServerConfiguration {
    /// The connector counts its times in whole seconds.
    private static let seconds: ClosedRange<Duration> = .seconds(1) ... .seconds(3_600)

    private static let readTimes = .seconds(MySQLStoreConfiguration.leastReadTimeout)...seconds.upperBound

    static let storeOptions: [ConfigurationOption] = [
        .init("store.url", \.store.url, .any, isSecret: true),
        .init("store.shards", \.store.shards, .urls, isSecret: true),
        .init("store.password", \.store.password, .any, isSecret: true),
        .init("store.password_file", \.store.passwordFile, .any),
        .init("store.tls", \.store.tls, .name),
        .init("store.tls_ca", \.store.tlsCA, .any),
        .init("store.connections", \.store.connections, .number(3...256)),
        .init("store.wait_timeout", \.store.waitTimeout, .duration(.milliseconds(100) ... .seconds(3_600))),
        .init("store.connect_timeout", \.store.connectTimeout, .duration(seconds)),
        .init("store.read_timeout", \.store.readTimeout, .duration(readTimes)),
        .init("store.write_timeout", \.store.writeTimeout, .duration(seconds)),
        .init("store.durability", \.store.durability, .name),
        .init("store.lease", \.store.lease, .duration(.seconds(1) ... .seconds(600))),
    ]
}
