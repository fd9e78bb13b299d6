import KiteQCore
import KiteQStore
import Logging

/// A store, and how it is called in the line that says what runs.
struct OpenedStore: Sendable {
    var store: any MessageStore
    /// `mysql 4 shards`; no host, no user, no password.
    var summary: String
}

/// Makes the store that a configuration names. Nothing connects before the store's `run()`.
enum StoreFactory {
    static func make(_ options: StoreOptions, logger: Logger) throws(CommandError) -> OpenedStore {
        guard !options.url.isEmpty else {
            throw CommandError(
                "no store: name it with --store mysql://USER@HOST/kite?shards=4 (or memory://), KITEQ_STORE, or url in [store]",
                status: .usage)
        }
        if options.url.hasPrefix("memory:") { return try memory(options.url) }
        throw CommandError("the store URL must begin with mysql:// or memory://")
    }

    /// `memory://` or `memory://?shards=N`.
    private static func memory(_ url: String) throws(CommandError) -> OpenedStore {
        let rest = url.dropFirst("memory://".count)
        var shards = 4
        if url.hasPrefix("memory://?shards="), let count = Int(rest.dropFirst("?shards=".count)),
            (1...256).contains(count)
        {
            shards = count
        } else if url != "memory://" {
            throw CommandError("the store URL must be memory:// or memory://?shards=N with N from 1 to 256")
        }
        let summary = "memory \(shards) shard\(shards == 1 ? "" : "s"), lost at the end"
        return OpenedStore(store: InMemoryMessageStore(shards: shards), summary: summary)
    }
}
