import KiteQCore
import KiteQWire
public import Logging
public import NIOCore
public import NIOPosix
public import ServiceLifecycle
import Synchronization

/// Publishes messages, alone, in batches, or bound to a transaction of the application's own.
///
/// ```swift
/// let producer = try Producer(configuration, topics: ["trade"]) { check in
///     try await orders.isPaid(check.properties["order"]) ? .commit : .rollBack
/// }
/// ```
///
/// A publish that returns is stored: it survives the loss of the broker. One that throws `outcomeUnknown` may be stored or
/// not; publishing the same message (the same id) again is safe while it is undone, and on the same broker for a minute after. So
/// it is sent to that broker again as long as that one is connected and answers; the last 10,000 such messages are remembered.
/// A publish is never repeated by itself.
///
/// It consumes nothing, and brokers are told so. Brokers of other makes cannot be: where a group has consumers too they give this client
/// a part of its messages, which it leaves unanswered. There, publish and consume under different groups.
///
/// `run()` must run while it is used: it keeps a connection to every broker of its topics, and answers the brokers' questions.
public final class Producer: Service {
    private let configuration: KiteQConfiguration
    private let cluster: BrokerCluster
    private let topics: [String]
    private let questions: OpenQuestions
    private let onCheck: @Sendable (TransactionCheck) async throws -> TransactionDecision
    private let logger: Logger
    private let calls = OpenCalls()
    private let uncertain = Mutex(UncertainPublishes())

    /// - Parameters:
    ///   - topics: those it will publish to.
    ///   - onTransactionCheck: decides half messages that were forgotten, from what the application has stored. One that throws
    ///     is asked again later.
    /// - Throws: `KiteQError` with `invalid`.
    public init(
        _ configuration: KiteQConfiguration, topics: [String],
        eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        logger: Logger = Logger(label: "kiteq.producer"),
        onTransactionCheck: @escaping @Sendable (TransactionCheck) async throws -> TransactionDecision = { _ in .unknown
        }
    ) throws {
        self.configuration = configuration
        self.topics = topics
        self.logger = logger
        onCheck = onTransactionCheck
        let questions = OpenQuestions()
        self.questions = questions
        let deliverers = Mutex(Set<BrokerAddress>())
        cluster = try BrokerCluster(
            configuration: configuration, role: .producer, topics: topics, eventLoops: eventLoopGroup, logger: logger
        ) { connection, event in
            switch event {
            case .question(let opaque, let header):
                questions.add(connection, opaque: opaque, header: header)
            case .delivery:
                // A broker that does not know of clients that only publish, and a group that subscribes too. A refusal would be a failed
                // attempt at once, three of them within a millisecond; silence is one in the delivery timeout.
                if deliverers.withLock({ $0.insert(connection.address).inserted }) {
                    logger.warning(
                        """
                        \(connection.address) delivers messages of group \(configuration.group) to a client that only publishes: \
                        they come late to the group's consumers; publish under a group of its own
                        """)
                }
            }
        }
    }

    /// Runs until a graceful shutdown, or until its task is cancelled.
    ///
    /// A graceful shutdown takes no more publishes and waits for those under way, and for the bodies of transactions, for
    /// `shutdownTimeout`. What is unanswered then ends with `outcomeUnknown`.
    /// - Throws: `KiteQError` where the registry cannot be used.
    public func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await self.cluster.run() }
            tasks.addTask { await self.answerQuestions() }
            tasks.addTask { await self.announce() }
            tasks.addTask { try await self.stopInTime() }
            defer {
                cluster.close()
                tasks.cancelAll()
            }
            do {
                for try await _ in tasks where Task.isCancelled { return }
            } catch is Ended {
                return
            }
        }
    }

    /// A graceful shutdown has waited for what is under way.
    private struct Ended: Error {}

    private func stopInTime() async throws {
        try await gracefulShutdown()
        await withTaskGroup(of: Void.self) { race in
            race.addTask { await self.calls.stop() }
            race.addTask {
                // Cut short when the calls are done.
                do { try await Task.sleep(for: self.configuration.shutdownTimeout) } catch { return }
                self.logger.warning("publishes are unanswered \(self.configuration.shutdownTimeout) after the stop")
            }
            await race.next()
            race.cancelAll()
        }
        throw Ended()
    }

    private func announce() async {
        guard case .zooKeeper = configuration.discovery else { return }
        do {
            try await cluster.registry.announceProducer(group: configuration.group, topics: topics)
        } catch is CancellationError {
            return
        } catch {
            logger.warning("could not list this producer in the registry, for people to see: \(error)")
        }
    }

    // MARK: Publishing

    /// Publishes a message; returns when a broker has stored it.
    /// - Throws: `KiteQError`.
    @discardableResult
    public func publish(_ message: OutgoingMessage) async throws -> Receipt {
        try calls.begin()
        defer { calls.end() }
        return try await send(
            try EncodedMessage(message, group: configuration.group, isCommitted: true), topic: message.topic
        )
        .receipt
    }

    /// Publishes messages in one go; each has its own result, in their order.
    public func publish(contentsOf messages: [OutgoingMessage]) async -> [Result<Receipt, any Error>] {
        var results = [Result<Receipt, any Error>?](repeating: nil, count: messages.count)
        do {
            try calls.begin()
        } catch {
            return messages.map { _ in .failure(error) }
        }
        defer { calls.end() }
        var batches: [Destination: [(index: Int, message: EncodedMessage)]] = [:]
        for (index, message) in messages.enumerated() {
            do {
                let encoded = try EncodedMessage(message, group: configuration.group, isCommitted: true)
                let broker = uncertain.withLock { $0[message.id] }
                batches[Destination(topic: message.topic, broker: broker), default: []].append((index, encoded))
            } catch {
                results[index] = .failure(error)
            }
        }
        for (destination, items) in batches {
            do {
                let connection = try await cluster.connection(
                    for: destination.topic, preferring: destination.broker, timeout: configuration.publishTimeout)
                let acks = await connection.publish(items.map(\.message))
                for (item, ack) in zip(items, acks) {
                    results[item.index] = receipt(ack, of: item.message.id, from: connection)
                }
            } catch {
                for item in items { results[item.index] = .failure(error) }
            }
        }
        return results.map { $0 ?? .failure(KiteQError(.notConnected, "the message was not sent")) }
    }

    /// What goes together: to any broker of the topic, or to the one that may have it already.
    private struct Destination: Hashable {
        var topic: String
        var broker: BrokerAddress?
    }

    private func send(
        _ message: EncodedMessage, topic: String
    ) async throws -> (receipt: Receipt, connection: ClientConnection) {
        let connection = try await cluster.connection(
            for: topic, preferring: uncertain.withLock { $0[message.id] }, timeout: configuration.publishTimeout)
        let ack = await connection.publish([message])[0]
        return (try receipt(ack, of: message.id, from: connection).get(), connection)
    }

    /// What became of a publish; where nobody knows, the broker is remembered that does perhaps.
    private func receipt(
        _ ack: Result<StoreAck, any Error>, of id: String, from connection: ClientConnection
    ) -> Result<Receipt, any Error> {
        let result = Result { try Self.receipt(ack.get(), of: id, from: connection) }
        switch result {
        case .failure(let error as KiteQError) where error.code == .outcomeUnknown:
            uncertain.withLock { $0.note(id, connection.address) }
        // It was not sent: what is known of it stays as it is.
        case .failure(let error as KiteQError) where error.code == .notConnected || error.code == .closed: break
        case .success, .failure: uncertain.withLock { $0.settle(id) }
        }
        return result
    }

    private static func receipt(
        _ ack: StoreAck, of id: String, from connection: ClientConnection
    ) throws -> Receipt {
        // The hexadecimal digits of an id may be of either case.
        guard ack.messageID.lowercased() == id.lowercased() else {
            connection.close()
            throw KiteQError(
                .outcomeUnknown,
                "\(connection.address) answered for another message than it was sent: this one may be stored or not")
        }
        guard ack.status else {
            let isUnknown = ack.feedback.hasPrefix(StoreAck.outcomeUnknown)
            throw KiteQError(isUnknown ? .outcomeUnknown : .refused, ack.feedback)
        }
        return Receipt(messageID: ack.messageID, feedback: ack.feedback)
    }

    // MARK: Transactions

    /// Publishes a message that is delivered only if `body` succeeds: stores it as a half message, runs `body`, commits it when
    /// that returns and rolls it back when it throws.
    ///
    /// If this process dies in between, or the commit is lost, the broker asks `onTransactionCheck`. So `body` must leave
    /// behind, in the same local transaction, what that handler decides by.
    ///
    /// `body` runs where the caller does: called from an actor, it may touch that actor's state.
    /// - Parameter isolation: the caller's; leave it out.
    /// - Throws: `KiteQError` where the message could not be stored (`body` did not run then); else what `body` throws.
    @discardableResult
    public func publishInTransaction<Value>(
        _ message: OutgoingMessage, isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Value
    ) async throws -> Value {
        try calls.begin()
        defer { calls.end() }
        let prepared = try await store(message)
        do {
            let value = try await body()
            prepared.commit()
            return value
        } catch {
            prepared.rollBack(feedback: "\(error)")
            throw error
        }
    }

    /// Stores a half message: not delivered before its commit.
    /// - Throws: `KiteQError`.
    public func prepare(_ message: OutgoingMessage) async throws -> PreparedMessage {
        try calls.begin()
        defer { calls.end() }
        return try await store(message)
    }

    private func store(_ message: OutgoingMessage) async throws -> PreparedMessage {
        let encoded = try EncodedMessage(message, group: configuration.group, isCommitted: false)
        let (receipt, connection) = try await send(encoded, topic: message.topic)
        return PreparedMessage(receipt: receipt, header: encoded.header, connection: connection)
    }

    private func answerQuestions() async {
        await withTaskGroup(of: Void.self) { checks in
            var running = 0
            for await question in questions.waiting {
                if running >= OpenQuestions.mostAtATime {
                    await checks.next()
                    running -= 1
                }
                running += 1
                checks.addTask { await self.answer(question) }
            }
        }
    }

    private func answer(_ question: OpenQuestions.Question) async {
        defer { questions.end(question) }
        var decision = TransactionDecision.unknown
        do {
            decision = try await onCheck(try TransactionCheck(header: question.header))
        } catch {
            logger.error("the transaction check failed, the broker will ask again: \(error)")
        }
        question.connection.decide(header: question.header, decision, opaque: question.opaque)
    }
}

/// A half message that a broker has stored and that waits for its commit.
///
/// Neither call waits for an answer: there is none. Where one is lost, the broker asks.
public struct PreparedMessage: Sendable {
    public let receipt: Receipt
    let header: ByteBuffer
    let connection: ClientConnection

    public var messageID: String { receipt.messageID }

    public func commit() { connection.decide(header: header, .commit) }

    public func rollBack(feedback: String = "") { connection.decide(header: header, .rollBack, feedback: feedback) }
}
