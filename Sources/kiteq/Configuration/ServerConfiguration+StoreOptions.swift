extension ServerConfiguration {
    static let storeOptions: [ConfigurationOption] = [
        .init("store.url", \.store.url, .any, isSecret: true),
        .init("store.password", \.store.password, .any, isSecret: true),
        .init("store.password_file", \.store.passwordFile, .any),
    ]
}
