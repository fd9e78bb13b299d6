import KiteQCore
import KiteQStore
import Logging
import MariaDB

/// A store, and how it is called in the line that says what runs.
struct OpenedStore: Sendable {
    var store: any MessageStore & OperatorStore
    /// `mysql 4 shards`; no host, no user, no password.
    var summary: String
}

/// Makes the store that a configuration names. Nothing connects before the store's `run()`.
enum StoreFactory {
    /// - Parameter rule: who else may reach the file of the password.
    static func make(
        _ options: StoreOptions, _ rule: SecretFileRule, logger: Logger
    ) throws(CommandError) -> OpenedStore {
        if options.url.hasPrefix("memory:") { return try memory(options.url) }
        let configuration = try mysql(options, rule)
        return OpenedStore(
            store: MySQLMessageStore(configuration, logger: logger),
            summary: "mysql \(counted(configuration.shards.count))")
    }

    /// Whether the options can be used; nothing is opened.
    static func check(_ options: StoreOptions, _ rule: SecretFileRule) throws(CommandError) {
        if options.url.hasPrefix("memory:") { _ = try memory(options.url) } else { _ = try mysql(options, rule) }
    }

    /// The databases of the shards, and how to use them.
    /// - Throws: ``CommandError``, a sentence that shows no password.
    static func mysql(
        _ options: StoreOptions, _ rule: SecretFileRule = .private
    ) throws(CommandError) -> MySQLStoreConfiguration {
        let password = try password(options, rule)
        var configuration: MySQLStoreConfiguration
        if options.shards.isEmpty {
            guard !options.url.isEmpty else {
                throw CommandError(
                    "no store: name it with --store mysql://USER@HOST/kite?shards=4 (or memory://), KITEQ_STORE, "
                        + "or url in [store]", status: .usage)
            }
            configuration = try read(options.url, options, password)
        } else {
            var shards: [MariaDBConfiguration] = []
            for (number, url) in options.shards.enumerated() {
                shards.append(try shard(number, url, options, password))
            }
            guard shards.count <= 256 else {
                throw CommandError("store.shards has more than 256 shards", about: "store.shards")
            }
            configuration = MySQLStoreConfiguration(shards: shards)
            configuration.connectionsPerShard = options.connections
        }
        configuration.waitTimeout = options.waitTimeout
        configuration.durability = options.durability
        configuration.lease = options.lease
        return configuration
    }

    // MARK: MySQL

    private static func read(
        _ url: String, _ options: StoreOptions, _ password: String?
    ) throws(CommandError) -> MySQLStoreConfiguration {
        var configuration: MySQLStoreConfiguration
        do {
            configuration = try MySQLStoreURL.configuration(url, password: password)
        } catch {
            throw CommandError(error.description, about: "store.url", "store.shards")
        }
        let said = said(in: url)
        if !said.contains("connections") { configuration.connectionsPerShard = options.connections }
        let security = said.contains("tls") || said.contains("ca") ? nil : try security(options)
        for index in configuration.shards.indices {
            if let security { configuration.shards[index].tls = security }
            if !said.contains("connectTimeout") { configuration.shards[index].connectTimeout = options.connectTimeout }
            if !said.contains("readTimeout") { configuration.shards[index].readTimeout = options.readTimeout }
            if !said.contains("writeTimeout") { configuration.shards[index].writeTimeout = options.writeTimeout }
        }
        return configuration
    }

    /// A URL that names the shard's own database, as in `mysql://kiteq@db2:3306/kite_1`.
    private static func shard(
        _ number: Int, _ url: String, _ options: StoreOptions, _ password: String?
    ) throws(CommandError) -> MariaDBConfiguration {
        guard !said(in: url).contains("shards") else {
            throw CommandError("a URL in store.shards is one shard: it takes no shards=N", about: "store.shards")
        }
        guard var shard = try read(url, options, password).shards.first, let database = shard.database,
            database.hasSuffix("_0")
        else { throw CommandError("shard \(number) in store.shards names no database", about: "store.shards") }
        // For a URL of a whole store the number is put behind the name; here the name is whole.
        shard.database = String(database.dropLast(2))
        return shard
    }

    /// The options that a URL gives itself.
    private static func said(in url: String) -> Set<Substring> {
        guard let question = url.firstIndex(of: "?") else { return [] }
        return Set(url[url.index(after: question)...].split(separator: "&").map { $0.prefix { $0 != "=" } })
    }

    private static func security(_ options: StoreOptions) throws(CommandError) -> MariaDBConfiguration.TLS {
        switch (options.tls, options.tlsCA.isEmpty) {
        case (.off, true): return .off
        case (.required, true): return .required
        case (.verified, false): return .verified(caFile: options.tlsCA)
        case (.verified, true):
            throw CommandError(
                "store.tls = verified needs store.tls_ca, the file with the certificates to trust", about: "store.tls")
        case (_, false):
            throw CommandError("store.tls_ca is for store.tls = verified", about: "store.tls", "store.tls_ca")
        }
    }

    private static func password(_ options: StoreOptions, _ rule: SecretFileRule) throws(CommandError) -> String? {
        if !options.password.isEmpty { return options.password }
        if options.passwordFile.isEmpty { return nil }
        return try SecretFile.read(options.passwordFile, what: "the store's password", rule)
    }

    // MARK: Memory

    /// `memory://` or `memory://?shards=N`.
    private static func memory(_ url: String) throws(CommandError) -> OpenedStore {
        let option = "memory://?shards="
        var shards = 4
        if url.hasPrefix(option), let count = Int(url.dropFirst(option.count)), (1...256).contains(count) {
            shards = count
        } else if url != "memory://" {
            throw CommandError(
                "the store URL must be memory:// or memory://?shards=N with N from 1 to 256", about: "store.url")
        }
        return OpenedStore(
            store: InMemoryMessageStore(shards: shards), summary: "memory \(counted(shards)), lost at the end")
    }

    private static func counted(_ shards: Int) -> String { "\(shards) shard\(shards == 1 ? "" : "s")" }
}
