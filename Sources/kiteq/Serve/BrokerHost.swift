import KiteQAdmin
import KiteQBroker
import KiteQCore
import KiteQRegistry
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization

/// A broker with its store, its registry and its administration, wired and run together: the composition root.
struct BrokerHost: Sendable {
    /// What runs, once clients can connect.
    struct Serving: Sendable {
        var address: BrokerAddress
        /// Nil where there is no administration.
        var admin: Endpoint?
        var isAdminEncrypted = false
        var topics: [String]
        var store: String
        var registry: String

        /// The one line of `kiteq serve`.
        var line: String {
            let admin = admin.map { ", admin http\(isAdminEncrypted ? "s" : "")://\($0)" } ?? ""
            return
                "kiteq: serving \(topics.joined(separator: ",")) on \(address) (store \(store), registry \(registry)\(admin))"
        }
    }

    private let configuration: ServerConfiguration
    private let brokerConfiguration: BrokerConfiguration
    private let eventLoops: MultiThreadedEventLoopGroup
    private let started = StartSignal()
    private let broker: Broker
    private let reloader: Reloader
    private let access: AdminAccess
    private let adminTLS: AdminTLS
    private let isAdminEncrypted: Bool
    private let adminLimits: AdminLimits
    private let opened: OpenedStore
    private let registryConfiguration: RegistryConfiguration
    private let logger: Logger

    /// - Parameter again: puts the configuration together again, for a reload; without it what runs stays as it is.
    /// - Throws: ``CommandError`` where the configuration cannot be run. Nothing is connected yet.
    init(
        _ configuration: ServerConfiguration,
        again: Reloader.Load? = nil, logger: Logger
    ) throws(CommandError) {
        self.configuration = configuration
        self.logger = logger
        let reading: Reloader.Reading
        do {
            reading = try Reloader.Reading(configuration)
            brokerConfiguration = reading.broker
            opened = try StoreFactory.make(configuration.store, configuration.broker.secretFiles, logger: logger)
            registryConfiguration = try RegistryFactory.configuration(
                configuration.registry, configuration.broker.secretFiles)
        } catch {
            throw error.judged(by: configuration.origins)
        }
        eventLoops =
            brokerConfiguration.eventLoopThreads == 0
            ? .singleton : MultiThreadedEventLoopGroup(numberOfThreads: brokerConfiguration.eventLoopThreads)
        broker = Broker(
            configuration: brokerConfiguration, store: opened.store,
            registry: registryConfiguration.makeRegistry(logger: logger), eventLoops: eventLoops, logger: logger,
            onServing: { [started] in started.brokerServes(on: $0) })
        broker.reload(reading.settings)
        access = AdminAccess(reading.admin)
        adminTLS = AdminTLS(nil)
        adminTLS.set(reading)
        isAdminEncrypted = reading.adminCertificate != nil
        adminLimits = reading.adminLimits
        reloader = Reloader(
            reading, load: again ?? { .success(configuration) }, broker: broker,
            applyAdmin: { [access, adminTLS] in
                access.set($0.admin)
                adminTLS.set($0)
            }, logger: logger)
        for warning in reading.startWarnings + reading.warnings { logger.warning("\(warning)") }
    }

    /// Reads the configuration again: what SIGHUP and the administration ask for.
    /// - Throws: ``CommandError`` where it is not valid; all stays as it was then.
    func reload() async throws -> ReloadReport { try await reloader.reload() }

    /// SIGHUP: the log says what came of it.
    func hangUp() async {
        do { _ = try await reload() } catch {
            // The reloader has said why: nobody else is there to be told.
        }
    }

    /// Runs until it is asked to stop, or until `whenServing` says so.
    ///
    /// - Parameter whenServing: called once clients can connect; true: stop now, in order.
    func run(stop: Latch, whenServing: @escaping @Sendable (Serving) async throws -> Bool) async throws {
        let broker = self.broker
        var services: [any Service] = []
        if let endpoint = configuration.admin {
            // First in the list is last to stop: `/readyz` says that the broker is going.
            services.append(
                AdminServer(
                    host: endpoint.host, port: endpoint.port, tls: adminTLS, limits: adminLimits,
                    probe: AdminProbe(broker, requiresAllShards: configuration.adminAccess.readyShards == .all),
                    metrics: ProcessWide.metrics, services: adminServices, logger: logger,
                    onListening: { [started] in started.adminListens(on: $0) }))
        } else {
            started.adminListens(on: 0)
        }
        services.append(broker)
        let body = StartedService(
            started: started, limit: configuration.startTimeout,
            whyNot: { whyNotServing(broker) },
            body: { address, adminPort in
                try await whenServing(serving(at: address, adminPort: adminPort))
            })
        let lifecycle = ServiceGroup(
            configuration: .init(
                // A broker that was drained ends like one that was told to stop.
                services: (services + [body]).map {
                    .init(service: $0, successTerminationBehavior: .gracefullyShutdownGroup)
                },
                logger: quiet))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                await stop.wait()
                await lifecycle.triggerGracefulShutdown()
            }
            defer { tasks.cancelAll() }
            try await lifecycle.run()
        }
        if brokerConfiguration.eventLoopThreads > 0 { try await eventLoops.shutdownGracefully() }
    }

    private var adminServices: AdminServices {
        let (reloader, broker) = (reloader, broker)
        return AdminServices(
            version: Version.current, broker: broker, store: opened.store, access: access,
            configuration: { await reloader.items }, reload: { try await reloader.reload() },
            drain: { broker.drain() })
    }

    private func serving(at address: BrokerAddress, adminPort: Int) -> Serving {
        Serving(
            address: address, admin: configuration.admin.map { Endpoint(host: $0.host, port: adminPort) },
            isAdminEncrypted: isAdminEncrypted, topics: configuration.topics, store: opened.summary,
            registry: registryConfiguration.description)
    }

    /// The service group tells every step at `debug` and `info`; our own lines say the same for people.
    private var quiet: Logger {
        var logger = self.logger
        if logger.logLevel == .info { logger.logLevel = .warning }
        return logger
    }

    /// Whoever reads it at the end of a start wants to know which registry that was.
    private func whyNotServing(_ broker: Broker) -> String {
        let why = broker.readiness.sentence ?? "no reason is known"
        let registry = "the registry "
        return why.hasPrefix(registry) ? "\(registry)\(registryConfiguration) \(why.dropFirst(registry.count))" : why
    }
}
