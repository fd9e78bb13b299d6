import KiteQCore
import KiteQWire
import Logging
import NIOCore
import NIOPosix

/// A connection to one broker that has let us in.
final class ClientConnection: Sendable {
    let address: BrokerAddress
    /// When it began to connect.
    let begunAt = ContinuousClock.now
    private let channel: any Channel
    private let handler: NIOLoopBound<ClientHandler>

    private init(_ address: BrokerAddress, _ channel: any Channel, _ handler: NIOLoopBound<ClientHandler>) {
        self.address = address
        self.channel = channel
        self.handler = handler
    }

    /// Connects and shakes hands within the connect timeout.
    static func connect(
        to address: BrokerAddress, configuration: KiteQConfiguration, tls: ClientTLS?, on group: any EventLoopGroup,
        logger: Logger,
        onEvent: @escaping @Sendable (ClientConnection, ClientEvent) -> Void
    ) async throws -> ClientConnection {
        let eventLoop = group.next()
        let timeout = TimeAmount.nanoseconds(configuration.connectTimeout.wholeNanoseconds)
        // Events come on the event loop, and only after the handshake, when the connection is known.
        let holder = NIOLoopBoundBox<ClientConnection?>.makeBoxSendingValue(nil, eventLoop: eventLoop)
        let channel = try await ClientBootstrap(group: eventLoop)
            .connectTimeout(timeout)
            .channelOption(.socketOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let handler = ClientHandler(
                        configuration: configuration, eventLoop: channel.eventLoop, logger: logger
                    ) { event in
                        if let connection = holder.value { onEvent(connection, event) }
                    }
                    let connection = ClientConnection(
                        address, channel, NIOLoopBound(handler, eventLoop: channel.eventLoop))
                    holder.value = connection
                    if let tls {
                        try channel.pipeline.syncOperations.addHandler(tls.handler(for: address.host))
                    }
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
            .connect(host: address.host, port: address.port).get()
        let connection = try await eventLoop.submit { holder.value }.get()
        guard let connection else { throw KiteQError(.notConnected, "the connection to \(address) was not made") }
        channel.closeFuture.whenComplete { _ in holder.value = nil }
        let late = eventLoop.scheduleTask(in: timeout) {
            connection.handler.value.greeted.fail(KiteQError(.notConnected, "\(address) does not answer the handshake"))
            channel.close(promise: nil)
        }
        do {
            try await eventLoop.flatSubmit { connection.handler.value.greeted.futureResult }.get()
            late.cancel()
            return connection
        } catch {
            late.cancel()
            channel.close(promise: nil)
            throw error
        }
    }

    // MARK: Using

    /// Publishes these in one write; each has its own result, in their order.
    func publish(_ messages: [EncodedMessage], timeout: Duration) async -> [Result<StoreAck, any Error>] {
        do {
            return try await channel.eventLoop.flatSubmit { [channel, handler] in
                let futures = handler.value.publish(messages)
                guard futures.count == messages.count else {
                    return channel.eventLoop.makeFailedFuture(
                        KiteQError(.notConnected, "the connection is closed; nothing was sent"))
                }
                let limit = TimeAmount.nanoseconds(timeout.wholeNanoseconds)
                return EventLoopFuture.whenAllComplete(
                    futures.map { Self.limited($0, to: limit, on: channel.eventLoop) }, on: channel.eventLoop)
            }.get()
        } catch {
            return messages.map { _ in .failure(error) }
        }
    }

    private static func limited(
        _ future: EventLoopFuture<StoreAck>, to limit: TimeAmount, on eventLoop: any EventLoop
    ) -> EventLoopFuture<StoreAck> {
        let promise = eventLoop.makePromise(of: StoreAck.self)
        let late = eventLoop.scheduleTask(in: limit) {
            promise.fail(
                KiteQError(.outcomeUnknown, "the broker did not answer in time: the message may be stored or not"))
        }
        future.whenComplete { result in
            late.cancel()
            promise.completeWith(result)
        }
        return promise.futureResult
    }

    func acknowledge(opaque: Int32, header: ByteBuffer, isSuccess: Bool, feedback: String = "") {
        channel.eventLoop.execute {
            self.handler.value.acknowledge(opaque: opaque, header: header, isSuccess: isSuccess, feedback: feedback)
        }
    }

    func decide(header: ByteBuffer, _ decision: TransactionDecision, feedback: String = "", opaque: Int32? = nil) {
        let status =
            switch decision {
            case .commit: TransactionAck.Status.commit
            case .rollBack: TransactionAck.Status.rollBack
            case .unknown: TransactionAck.Status.unknown
            }
        channel.eventLoop.execute {
            self.handler.value.decide(header: header, status: status, feedback: feedback, opaque: opaque)
        }
    }

    var isOpen: Bool { channel.isActive }

    /// Returns when the connection is closed, by whoever.
    func closed() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                channel.closeFuture.whenComplete { _ in continuation.resume() }
            }
        } onCancel: {
            channel.close(promise: nil)
        }
    }

    func close() { channel.close(promise: nil) }
}
