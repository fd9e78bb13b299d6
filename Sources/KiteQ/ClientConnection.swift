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
    private let hands: DeliveriesInHand
    private let responsiveness: Responsiveness

    private init(
        _ address: BrokerAddress, _ channel: any Channel, _ handler: NIOLoopBound<ClientHandler>,
        _ hands: DeliveriesInHand, _ responsiveness: Responsiveness
    ) {
        self.address = address
        self.channel = channel
        self.handler = handler
        self.hands = hands
        self.responsiveness = responsiveness
    }

    /// Connects and shakes hands within the connect timeout.
    static func connect(
        to address: BrokerAddress, as role: ClientRole, configuration: KiteQConfiguration, tls: ClientTLS?,
        on eventLoops: any EventLoopGroup, logger: Logger,
        onEvent: @escaping @Sendable (ClientConnection, ClientEvent) -> Void
    ) async throws(KiteQError) -> ClientConnection {
        guard tls != nil || configuration.mayBeShownSecret(address) else {
            throw KiteQError(.invalid, configuration.plainTextRefusal(address))
        }
        do {
            return try await open(
                to: address, as: role, configuration: configuration, tls: tls, on: eventLoops, logger: logger,
                onEvent: onEvent)
        } catch {
            throw KiteQError.connecting(error, tls: tls != nil)
        }
    }

    private static func open(
        to address: BrokerAddress, as role: ClientRole, configuration: KiteQConfiguration, tls: ClientTLS?,
        on eventLoops: any EventLoopGroup, logger: Logger,
        onEvent: @escaping @Sendable (ClientConnection, ClientEvent) -> Void
    ) async throws -> ClientConnection {
        let hands = DeliveriesInHand(configuration, window: role.window)
        let responsiveness = Responsiveness(patience: configuration.suspectAfter)
        let eventLoop = eventLoops.next()
        let timeout = TimeAmount.nanoseconds(configuration.connectTimeout.wholeNanoseconds)
        // Events come on the event loop, and only after the handshake, when the connection is known.
        let holder = NIOLoopBoundBox<ClientConnection?>.makeBoxSendingValue(nil, eventLoop: eventLoop)
        let channel = try await ClientBootstrap(group: eventLoop)
            .connectTimeout(timeout)
            .channelOption(.socketOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let handler = ClientHandler(
                        configuration: configuration, role: role, hands: hands, responsiveness: responsiveness,
                        eventLoop: channel.eventLoop, logger: logger
                    ) { event in
                        if let connection = holder.value { onEvent(connection, event) }
                    }
                    let connection = ClientConnection(
                        address, channel, NIOLoopBound(handler, eventLoop: channel.eventLoop), hands, responsiveness)
                    holder.value = connection
                    if let tls {
                        try channel.pipeline.syncOperations.addHandler(tls.handler(for: address.host))
                    }
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
            .connect(host: address.host, port: address.port).get()
        let connection = try await eventLoop.submit { holder.value }.get()
        guard let connection else { throw KiteQError(.notConnected, "the connection was not made") }
        channel.closeFuture.whenComplete { _ in holder.value = nil }
        let late = eventLoop.scheduleTask(in: timeout) {
            connection.handler.value.greeted.fail(KiteQError(.notConnected, "it does not answer the handshake"))
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
    func publish(_ messages: [EncodedMessage]) async -> [Result<StoreAck, any Error>] {
        do {
            return try await channel.eventLoop.flatSubmit { [channel, handler] in
                let futures = handler.value.publish(messages)
                guard futures.count == messages.count else {
                    return channel.eventLoop.makeFailedFuture(
                        KiteQError(.notConnected, "the connection is closed; nothing was sent"))
                }
                return EventLoopFuture.whenAllComplete(futures, on: channel.eventLoop)
            }.get()
        } catch {
            let why = error as? KiteQError ?? KiteQError(.closed, "the client's event loop has ended; nothing was sent")
            return messages.map { _ in .failure(why) }
        }
    }

    /// Whether a delivery is worth handling: the broker still waits for its answer. Asked when its handler is about to begin.
    func begin(_ opaque: Int32) -> Bool {
        guard isOpen else {
            hands.end(opaque)
            return false
        }
        if hands.begin(opaque) { return true }
        hasRoom()
        return false
    }

    private func hasRoom() { channel.eventLoop.execute { self.handler.value.updateReading() } }

    /// A delivery that was begun is left without an answer: it comes again when the connection closes.
    func abandon(_ opaque: Int32) {
        hands.end(opaque)
        hasRoom()
    }

    func acknowledge(opaque: Int32, header: ByteBuffer, isSuccess: Bool, feedback: String = "") {
        hands.end(opaque)
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

    /// The broker owes an answer and is silent: another one is better, where there is one.
    var isSuspect: Bool { responsiveness.isSuspect() }

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
