import KiteQCore
import KiteQWire
public import Logging
public import NIOCore
public import NIOPosix
public import ServiceLifecycle

/// Publishes messages, alone, in batches, or bound to a transaction of the application's own.
///
/// ```swift
/// let producer = try Producer(configuration, topics: ["trade"]) { check in
///     try await orders.isPaid(check.properties["order"]) ? .commit : .rollBack
/// }
/// ```
///
/// A publish that returns is stored: it survives the loss of the broker. One that throws `outcomeUnknown` may be stored or
/// not; publishing the same message (the same id) again is safe while it is undone, and on the same broker for a minute after.
///
/// `run()` must run while it is used: it keeps a connection to every broker of its topics, and answers the brokers' questions.
public final class Producer: Service {
    private let configuration: KiteQConfiguration
    private let cluster: BrokerCluster
    private let topics: [String]
    private let questions: AsyncStream<Question>
    private let onCheck: @Sendable (TransactionCheck) async throws -> TransactionDecision
    private let logger: Logger

    private struct Question: Sendable {
        var connection: ClientConnection
        var opaque: Int32
        var header: ByteBuffer
    }

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
        let (questions, continuation) = AsyncStream<Question>.makeStream(bufferingPolicy: .bufferingOldest(10_000))
        self.questions = questions
        cluster = try BrokerCluster(
            configuration: configuration, topics: topics, group: eventLoopGroup, logger: logger
        ) { connection, event in
            switch event {
            case .question(let opaque, let header):
                continuation.yield(Question(connection: connection, opaque: opaque, header: header))
            case .delivery(let opaque, _, let parts):
                // Its group subscribes too: another client of the group consumes.
                connection.acknowledge(
                    opaque: opaque, header: parts.header, isSuccess: false, feedback: "this client only publishes")
            }
        }
    }

    public func run() async throws {
        try await cancelWhenGracefulShutdown {
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await self.cluster.run() }
                tasks.addTask {
                    await self.answerQuestions()
                }
                tasks.addTask { await self.announce() }
                defer {
                    self.cluster.close()
                    tasks.cancelAll()
                }
                while let _ = try await tasks.next() {
                    if Task.isCancelled { return }
                }
            }
        }
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
        try await send(try EncodedMessage(message, group: configuration.group, isCommitted: true), topic: message.topic)
            .receipt
    }

    /// Publishes messages in one go; each has its own result, in their order.
    public func publish(contentsOf messages: [OutgoingMessage]) async -> [Result<Receipt, any Error>] {
        var results = [Result<Receipt, any Error>?](repeating: nil, count: messages.count)
        var byTopic: [String: [(index: Int, message: EncodedMessage)]] = [:]
        for (index, message) in messages.enumerated() {
            do {
                let encoded = try EncodedMessage(message, group: configuration.group, isCommitted: true)
                byTopic[message.topic, default: []].append((index, encoded))
            } catch {
                results[index] = .failure(error)
            }
        }
        for (topic, items) in byTopic {
            do {
                let connection = try await cluster.connection(for: topic, timeout: configuration.publishTimeout)
                let acks = await connection.publish(items.map(\.message), timeout: configuration.publishTimeout)
                for (item, ack) in zip(items, acks) {
                    results[item.index] = Result { try Self.receipt(ack.get()) }
                }
            } catch {
                for item in items { results[item.index] = .failure(error) }
            }
        }
        return results.map { $0 ?? .failure(KiteQError(.notConnected, "the message was not sent")) }
    }

    private func send(
        _ message: EncodedMessage, topic: String
    ) async throws -> (receipt: Receipt, connection: ClientConnection) {
        let connection = try await cluster.connection(for: topic, timeout: configuration.publishTimeout)
        let ack = await connection.publish([message], timeout: configuration.publishTimeout)[0]
        return (try Self.receipt(ack.get()), connection)
    }

    private static func receipt(_ ack: StoreAck) throws -> Receipt {
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
    /// - Throws: `KiteQError` where the message could not be stored (`body` did not run then); else what `body` throws.
    public func publishInTransaction<Value: Sendable>(
        _ message: OutgoingMessage, _ body: () async throws -> Value
    ) async throws -> Value {
        let prepared = try await prepare(message)
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
        let encoded = try EncodedMessage(message, group: configuration.group, isCommitted: false)
        let (receipt, connection) = try await send(encoded, topic: message.topic)
        return PreparedMessage(receipt: receipt, header: encoded.header, connection: connection)
    }

    private func answerQuestions() async {
        await withDiscardingTaskGroup { tasks in
            for await question in questions {
                tasks.addTask { await self.answer(question) }
            }
        }
    }

    private func answer(_ question: Question) async {
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
