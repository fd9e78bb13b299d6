import ArgumentParser
import Foundation

/// The flags of commands that run a broker, and how they come together with environment and file.
struct ServerArguments: ParsableArguments {
    @Option(help: ArgumentHelp("A TOML file with any of the options (KITEQ_CONFIG).", valueName: "file"))
    var config: String?

    @Option(help: ArgumentHelp("Where to listen for clients. Default: 127.0.0.1:13800.", valueName: "host:port"))
    var bind: String?

    @Option(
        help: ArgumentHelp("Where the API, the console and /metrics are. Default: nowhere.", valueName: "host:port"))
    var admin: String?

    @Option(
        help: ArgumentHelp("The address that clients find in the registry. Default: as --bind.", valueName: "host:port")
    )
    var advertise: String?

    @Option(help: ArgumentHelp("The broker's name, the same after a restart. Default: its address.", valueName: "name"))
    var name: String?

    @Flag(
        help: ArgumentHelp(
            "End whoever works under the broker's name. Default: wait until its lease is over, and refuse where it works."
        ))
    var takeOver = false

    @Option(
        help: ArgumentHelp(
            "Where messages are: mysql://USER@HOST:PORT/kite?shards=4 or memory://.", valueName: "url"))
    var store: String?

    @Option(help: ArgumentHelp("Where bindings are: zk://HOST:2181,HOST:2181 or file://PATH.", valueName: "url"))
    var registry: String?

    @Option(help: ArgumentHelp("The topics to serve, separated by commas.", valueName: "a,b"))
    var topics: String?

    @Option(
        help: ArgumentHelp("trace, debug, info, notice, warning, error or critical. Default: info.", valueName: "level")
    )
    var logLevel: String?

    @Option(
        help: ArgumentHelp(
            "Any other option of conf/kiteq.toml, such as delivery.timeout=10s. May be repeated.",
            valueName: "key=value"))
    var set: [String] = []

    /// - Throws: ``CommandError`` where the file cannot be read or --set is not KEY=VALUE.
    func loader(environment: [String: String] = ProcessInfo.processInfo.environment) throws(CommandError)
        -> ConfigurationLoader
    {
        var loader = try ConfigurationLoader(environment: environment, configuration: config)
        for text in set {
            guard let equals = text.firstIndex(of: "="), equals > text.startIndex else {
                throw CommandError("--set takes KEY=VALUE, such as --set delivery.timeout=10s", status: .usage)
            }
            let key = String(text[..<equals])
            loader.flags.append(.init("--set \(key)", key, String(text[text.index(after: equals)...])))
        }
        let named = [
            ("--bind", "broker.bind", bind), ("--admin", "admin.bind", admin),
            ("--advertise", "broker.advertised", advertise), ("--name", "broker.name", name),
            ("--store", "store.url", store), ("--registry", "registry.url", registry),
            ("--topics", "broker.topics", topics), ("--log-level", "log.level", logLevel),
        ]
        for case (let flag, let key, let text?) in named { loader.flags.append(.init(flag, key, text)) }
        if takeOver { loader.flags.append(.init("--take-over", "broker.take_over", "true")) }
        return loader
    }
}
