import Foundation
import KiteQCore

/// `kiteq serve` at its defaults, with bindings that are fixed; all its clients have one address.
enum BenchBroker {
    static let topic = "bench"
    /// Bound to a group that is away: every publish of it is stored and stays.
    static let storedType = "stored"
    static let deliveredType = "delivered"
    static let consumers = "s-bench"

    /// - Parameters:
    ///   - plan: has further options, as `kiteq serve --set` takes them, and perhaps another build.
    ///   - folder: for its registry and its log.
    static func server(_ name: String, store: String, plan: BenchPlan, folder: URL) throws -> BenchServer {
        let registry = folder.appending(path: "\(name).yaml")
        try Data(
            """
            brokers: []
            bindings:
              - {groupIds: [s-bench-away], topic: \(topic), messageType: \(storedType), bindType: direct}
              - {groupIds: [\(consumers)], topic: \(topic), messageType: \(deliveredType), bindType: direct, watermark: 10000000}

            """.utf8
        ).write(to: registry)
        // A store's URL may have a password in it.
        return try BenchServer(
            name, folder: folder, ready: "kiteq: serving", executable: plan.broker, environment: ["KITEQ_STORE": store]
        ) {
            [
                "serve", "--bind", "\($0)", "--name", name, "--registry", "file://\(registry.path)", "--topics", topic,
                "--log-level", "warning", "--set", "broker.max_connections_per_address=1000000",
            ] + plan.options.flatMap { ["--set", $0] }
        }
    }
}
