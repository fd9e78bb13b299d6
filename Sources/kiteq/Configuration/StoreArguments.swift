import ArgumentParser
import Foundation
import KiteQBroker
import KiteQCore
import KiteQStore
import Logging

/// The flags of commands that work on the store's databases themselves, and how they come together with environment and file.
struct StoreArguments: ParsableArguments {
    @Option(help: ArgumentHelp("A TOML file with the store's options (KITEQ_CONFIG).", valueName: "file"))
    var config: String?

    @Option(help: ArgumentHelp("mysql://USER@HOST:PORT/kite?shards=4 (KITEQ_STORE).", valueName: "url"))
    var store: String?

    /// The databases, and the log that such a command keeps: warnings at most.
    /// - Parameter what: what a store in memory has none of, for the error.
    /// - Throws: ``CommandError``, a sentence that shows no password.
    func load(
        lacking what: String, environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(CommandError) -> (MySQLStoreConfiguration, LogConfiguration) {
        var loader = try ConfigurationLoader(environment: environment, configuration: config)
        if let store { loader.flags.append(.init("--store", "store.url", store)) }
        let loaded = try loader.load()
        if loaded.store.url.hasPrefix("memory:") { throw CommandError("memory:// has no \(what)", status: .usage) }
        var log = loaded.log
        log.level = max(log.level, .warning)
        do {
            return (try StoreFactory.mysql(loaded.store, loaded.broker.secretFiles), log)
        } catch {
            throw error.judged(by: loaded.origins)
        }
    }
}
