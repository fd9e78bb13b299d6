import Glibc
import KiteQCore
import KiteQWire
import NIOCore
import NIOPosix

/// One connection of a command to a broker, as a client of one group.
struct BrokerLink: Sendable {
    /// Ends with the connection. Whoever connects reads it, or what the broker sends piles up.
    let events: AsyncStream<LinkEvent>
    private let channel: any Channel
    private let handler: NIOLoopBound<LinkHandler>

    /// - Throws: ``CommandError`` where the broker cannot be reached or refuses the group.
    static func connect(
        to address: BrokerAddress, group: String, secret: String, warmingUp: Int = 0, within limit: TimeAmount = .seconds(5)
    ) async throws -> BrokerLink {
        let (events, continuation) = AsyncStream<LinkEvent>.makeStream()
        let meta = ConnMeta(groupID: group, secretKey: secret, warmingUpSeconds: Int32(warmingUp))
        let channel: any Channel
        do {
            channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connectTimeout(limit)
                .channelOption(.socketOption(.tcp_nodelay), value: 1)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(
                            LinkHandler(meta: meta, events: continuation, eventLoop: channel.eventLoop))
                    }
                }
                .connect(host: address.host, port: address.port).get()
        } catch {
            throw CommandError("cannot connect to the broker \(address): \(reason(error))")
        }
        let handler = try await channel.eventLoop.submit {
            NIOLoopBound(
                try channel.pipeline.syncOperations.handler(type: LinkHandler.self), eventLoop: channel.eventLoop)
        }.get()
        let greeted = try await channel.eventLoop.submit { handler.value.greeted.futureResult }.get()
        let timeout = channel.eventLoop.scheduleTask(in: limit) { channel.close(promise: nil) }
        defer { timeout.cancel() }
        do {
            try await greeted.get()
        } catch let error as CommandError {
            throw CommandError("\(address): \(error.description)")
        }
        return BrokerLink(events: events, channel: channel, handler: handler)
    }

    private static func reason(_ error: any Error) -> String {
        switch error {
        case let error as NIOConnectionError where error.connectionErrors.isEmpty:
            "its name is not known"
        case let error as NIOConnectionError:
            error.connectionErrors.last.map { reason($0.error) } ?? "nobody answers"
        case let error as IOError: String(cString: strerror(error.errnoCode))
        case let error as ChannelError: error == .connectPending ? "pending" : "nobody answers"
        default: "\(error)"
        }
    }

    /// - Throws: ``CommandError`` where no store ack comes within the limit (protocol.md: clients give up after 3 s).
    func publish(_ message: OutgoingMessage, within limit: TimeAmount = .seconds(10)) async throws -> StoreAck {
        let handler = self.handler
        return try await channel.eventLoop.flatSubmit {
            let ack = handler.value.publish(message)
            let promise = ack.eventLoop.makePromise(of: StoreAck.self)
            let timeout = ack.eventLoop.scheduleTask(in: limit) {
                promise.fail(CommandError("no store ack came for \(message.id): whether it is stored is not known"))
            }
            ack.whenComplete { result in
                timeout.cancel()
                promise.completeWith(result)
            }
            return promise.futureResult
        }.get()
    }

    func acknowledge(_ delivery: LinkDelivery, status: Bool = true, feedback: String = "") async throws {
        let handler = self.handler
        try await channel.eventLoop.submit {
            handler.value.acknowledge(delivery, status: status, feedback: feedback)
        }.get()
    }

    /// Commits or rolls back; no reply comes (protocol.md).
    func settle(_ message: OutgoingMessage, _ answer: TransactionAnswer) async throws {
        let (handler, header) = (self.handler, try message.header())
        try await channel.eventLoop.submit { handler.value.settle(header, answer, opaque: nil) }.get()
    }

    func answer(_ question: LinkQuestion, _ answer: TransactionAnswer) async throws {
        let handler = self.handler
        try await channel.eventLoop.submit {
            handler.value.settle(question.header, answer, opaque: question.opaque)
        }.get()
    }

    /// Sends what is written, and ends the events.
    func close() async {
        do {
            try await channel.close()
        } catch {
            // It was closed already.
        }
    }
}
