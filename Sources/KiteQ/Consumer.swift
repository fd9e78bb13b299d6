import KiteQCore
import KiteQWire
public import Logging
public import NIOCore
public import NIOPosix
public import ServiceLifecycle

/// Receives the messages of a group's subscriptions, and acknowledges each when its handler returns.
///
/// ```swift
/// let consumer = try Consumer(configuration, subscriptions: [.init(topic: "trade", .messageType("paid"))]) { message in
///     try await membership.grantPoints(message.properties["order"])
/// }
/// try await consumer.run()
/// ```
///
/// A handler that returns has the message; one that throws refuses it, and it comes again: three attempts at once, later ones
/// after growing waits, until its limit. A message may come more than once after a fault: handlers must bear that.
///
/// A handler may take its time: the broker is told that it is at work, up to `handlerTimeout`. A broker of another make cannot be
/// told; it sends a message again whose handler needs longer than its delivery timeout (5 s unless configured). What waited here for so
/// long that the broker has given it up is not begun.
public final class Consumer: Service {
    private let configuration: KiteQConfiguration
    private let subscriptions: [Subscription]
    private let concurrency: Int
    private let cluster: BrokerCluster
    private let deliveries: AsyncStream<Delivery>
    private let deliveriesContinuation: AsyncStream<Delivery>.Continuation
    private let handler: @Sendable (IncomingMessage, ContinuousClock.Instant) async throws -> Void
    private let logger: Logger

    private struct Delivery: Sendable {
        var connection: ClientConnection
        var opaque: Int32
        var command: Command
        var parts: MessageBody
    }

    /// - Parameters:
    ///   - subscriptions: what the group wants; published to ZooKeeper where brokers are found through it.
    ///   - concurrency: handlers that run at a time, at least 1.
    /// - Throws: `KiteQError` with `invalid`.
    public convenience init(
        _ configuration: KiteQConfiguration, subscriptions: [Subscription], concurrency: Int = 16,
        eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        logger: Logger = Logger(label: "kiteq.consumer"),
        handler: @escaping @Sendable (IncomingMessage) async throws -> Void
    ) throws {
        try self.init(
            configuration, subscriptions: subscriptions, concurrency: concurrency, eventLoopGroup: eventLoopGroup,
            logger: logger
        ) { message, _ in try await handler(message) }
    }

    /// - Parameter handler: told as well when the connection that brought the message began to connect.
    package init(
        _ configuration: KiteQConfiguration, subscriptions: [Subscription], concurrency: Int,
        eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton, logger: Logger,
        handler: @escaping @Sendable (IncomingMessage, ContinuousClock.Instant) async throws -> Void
    ) throws {
        guard concurrency > 0 else { throw KiteQError(.invalid, "a consumer runs at least one handler at a time") }
        guard !subscriptions.isEmpty else { throw KiteQError(.invalid, "a consumer subscribes to something") }
        // A broker would take no notice of it: nobody would hear why nothing comes.
        let bindings = BindingTable(subscriptions.map { Binding($0, group: configuration.group) })
        if let rejection = bindings.rejected.first { throw KiteQError(.invalid, rejection.reason) }
        self.configuration = configuration
        self.subscriptions = subscriptions
        self.concurrency = concurrency
        self.handler = handler
        self.logger = logger
        let (deliveries, continuation) = AsyncStream<Delivery>.makeStream()
        self.deliveries = deliveries
        deliveriesContinuation = continuation
        if let window = configuration.window, window < 1 {
            throw KiteQError(.invalid, "a consumer's window has room for at least one delivery")
        }
        cluster = try BrokerCluster(
            configuration: configuration,
            role: .consumer(window: configuration.window ?? concurrency.multipliedClamping(by: 4)),
            topics: Set(subscriptions.map(\.topic)).sorted(), eventLoops: eventLoopGroup, logger: logger
        ) { connection, event in
            switch event {
            // The broker bounds what it sends before it is acknowledged, so this does not grow.
            case .delivery(let opaque, let command, let parts):
                continuation.yield(Delivery(connection: connection, opaque: opaque, command: command, parts: parts))
            case .question(let opaque, let header):
                connection.decide(header: header, .unknown, feedback: "this client only consumes", opaque: opaque)
            }
        }
    }

    /// Consumes until a graceful shutdown, or until its task is cancelled.
    ///
    /// A graceful shutdown begins no more handlers and waits for those that run, for `shutdownTimeout`; then it cancels them. What they
    /// have not finished is left unanswered, and goes to another client when the connection closes.
    /// - Throws: `KiteQError` where the registry cannot be used.
    public func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await self.cluster.run() }
            tasks.addTask { try await self.publishSubscriptions() }
            defer {
                cluster.close()
                tasks.cancelAll()
            }
            tasks.addTask {
                await withTaskGroup(of: Void.self) { race in
                    race.addTask { await self.handleDeliveries() }
                    race.addTask { await self.stopInTime() }
                    await race.next()
                    race.cancelAll()
                }
                throw Ended()
            }
            do {
                for try await _ in tasks {}
            } catch is Ended {
                return
            }
        }
    }

    /// The handlers are done.
    private struct Ended: Error {}

    /// Returns when the handlers have had their time after a graceful shutdown, or its task is cancelled.
    private func stopInTime() async {
        do {
            try await gracefulShutdown()
            // What was not begun is not acknowledged: it goes to another client when the connection closes.
            deliveriesContinuation.finish()
            try await Task.sleep(for: configuration.shutdownTimeout)
            logger.warning("handlers still run \(configuration.shutdownTimeout) after the stop, and are cancelled")
        } catch {
            return  // Cancelled: the handlers are done, or are being cancelled too.
        }
    }

    private func publishSubscriptions() async throws {
        let bindings = subscriptions.map { Binding($0, group: configuration.group) }
        do {
            try await cluster.registry.publish(bindings: bindings, of: configuration.group)
        } catch let error as RegistryError where error.code == .unsupported {
            // A file or a list of brokers: a person writes the bindings.
            logger.info("the bindings of group \(configuration.group) are written by hand here: \(error.message)")
        } catch let error as RegistryError {
            throw KiteQError.registry(error)
        } catch is CancellationError {
            return
        }
    }

    private func handleDeliveries() async {
        await withTaskGroup(of: Void.self) { handlers in
            var running = 0
            for await delivery in deliveries {
                if Task.isShuttingDownGracefully { break }
                if running >= concurrency {
                    await handlers.next()
                    running -= 1
                    if Task.isShuttingDownGracefully { break }
                }
                running += 1
                handlers.addTask { await self.handle(delivery) }
            }
        }
    }

    private func handle(_ delivery: Delivery) async {
        guard delivery.connection.begin(delivery.opaque) else {
            return logger.debug("dropped a delivery that its broker no longer waits for")
        }
        do {
            try await handler(
                try IncomingMessage(command: delivery.command, parts: delivery.parts), delivery.connection.begunAt)
            delivery.connection.acknowledge(opaque: delivery.opaque, header: delivery.parts.header, isSuccess: true)
        } catch  where Task.isCancelled {
            // The stop took it from the handler: that is no refusal.
            delivery.connection.abandon(delivery.opaque)
        } catch {
            logger.debug("a handler refused a message: \(error)")
            delivery.connection.acknowledge(
                opaque: delivery.opaque, header: delivery.parts.header, isSuccess: false,
                feedback: String("\(error)".prefix(255)))
        }
    }
}

extension Int {
    fileprivate func multipliedClamping(by factor: Int) -> Int {
        let (product, isOver) = multipliedReportingOverflow(by: factor)
        return isOver ? .max : product
    }
}
