import KiteQWire
import NIOCore
import NIOPosix
import Synchronization

/// A broker that says what a test wants: one of another make unless told otherwise, and silent where it should be.
final class FakeBroker: Sendable {
    struct Manners: Sendable {
        /// Nil: it knows of no additions to the protocol.
        var extensions: ConnAuthAck.Extensions?
        var answersPublishes = true
        var answersHeartBeats = true
        /// What it says before it lets anybody in.
        var beforeWelcome = ByteBuffer()
        /// Ends each connection once it has let it in.
        var closesAfterWelcome = false
        /// Of the message that its store acks name; nil: of the one that came.
        var acknowledgedID: String?
        /// Reads nothing after the greeting.
        var isDeaf = false
        /// What the system takes of what it does not read.
        var receiveBytes: ChannelOptions.Types.SocketOption.Value = 4 << 20
    }

    private struct State {
        var manners: Manners
        var connections: [any Channel] = []
        var publishes = 0
        var unanswered: [Packet] = []
    }

    /// What came, but for greetings.
    let packets: AsyncStream<Packet>
    let greetings: AsyncStream<ConnMeta>
    private let arrived: AsyncStream<Packet>.Continuation
    private let greeted: AsyncStream<ConnMeta>.Continuation
    private let state: Mutex<State>

    private init(_ manners: Manners) {
        state = Mutex(State(manners: manners))
        (packets, arrived) = AsyncStream.makeStream()
        (greetings, greeted) = AsyncStream.makeStream()
    }

    /// Serves on loopback while `body` runs; it is given the address.
    static func serving(
        _ manners: Manners = Manners(), _ body: (FakeBroker, String) async throws -> Void
    ) async throws {
        let broker = FakeBroker(manners)
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_rcvbuf), value: manners.receiveBytes)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Handler(broker))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(broker, "127.0.0.1:\(channel.localAddress?.port ?? 0)"))
        } catch {
            result = .failure(error)
        }
        for connection in broker.state.withLock({ $0.connections }) { connection.close(promise: nil) }
        try await channel.close()
        try result.get()
    }

    var publishes: Int { state.withLock { $0.publishes } }

    func behave(_ change: (inout Manners) -> Void) { state.withLock { change(&$0.manners) } }

    /// The next packet of this command; those before it are dropped.
    func next(_ command: Command) async throws -> Packet {
        for await packet in packets where packet.header.command == command { return packet }
        throw Ended()
    }

    func nextGreeting() async throws -> ConnMeta {
        for await meta in greetings { return meta }
        throw Ended()
    }

    struct Ended: Error {}

    /// To each connection; the text is the body.
    func deliver(_ text: String, topic: String = "trade", opaque: Int32) throws {
        let buffer = try Self.delivery(text, topic: topic, opaque: opaque)
        for connection in state.withLock({ $0.connections }) { connection.writeAndFlush(buffer, promise: nil) }
    }

    static func delivery(_ text: String, topic: String = "trade", opaque: Int32) throws -> ByteBuffer {
        var header = ProtoHeader()
        header.messageID = String(repeating: "0", count: 31) + "\(opaque % 10)"
        (header.topic, header.messageType, header.groupID) = (topic, "paid", "p-pay")
        (header.expiredTime, header.deliverLimit, header.commit, header.fly) = (-1, 100, true, false)
        var buffer = ByteBuffer()
        try PacketWriter.writeDelivery(
            into: &buffer, framing: .plain, opaque: opaque, version: 0, extension: 0, command: .stringMessage,
            header: header.serializedBuffer(), body: ByteBuffer(string: text), extra: nil)
        return buffer
    }

    /// Answers what it has left unanswered.
    func answerPublishes() throws {
        let packets = state.withLock { state in
            defer { state.unanswered = [] }
            return state.unanswered
        }
        var buffer = ByteBuffer()
        for packet in packets { try Self.answer(packet, into: &buffer) }
        for connection in state.withLock({ $0.connections }) { connection.writeAndFlush(buffer, promise: nil) }
    }

    private static func answer(_ packet: Packet, as other: String? = nil, into buffer: inout ByteBuffer) throws {
        let id = try other ?? MessageHeaderView(decoding: MessageBody.split(packet.body).header).messageID
        PacketWriter.writeStoreAck(
            into: &buffer, framing: .plain, opaque: packet.header.opaque, version: 0, extension: 0,
            messageID: id.utf8, status: true, feedback: "stored")
    }

    private func handle(_ packet: Packet, of channel: any Channel) throws {
        let manners = state.withLock { state in
            if packet.header.command == .connMeta { state.connections.append(channel) }
            if packet.header.command.isMessage {
                state.publishes += 1
                if !state.manners.answersPublishes { state.unanswered.append(packet) }
            }
            return state.manners
        }
        var buffer = ByteBuffer()
        switch packet.header.command {
        case .connMeta:
            buffer = manners.beforeWelcome
            PacketWriter.writeConnAuthAck(
                into: &buffer, framing: .plain, opaque: packet.header.opaque, version: 0, extension: 0, status: true,
                feedback: "welcome", extensions: manners.extensions)
            greeted.yield(try ConnMeta(decoding: packet.body))
        case .heartbeat where manners.answersHeartBeats:
            try PacketWriter.writePacket(
                into: &buffer, framing: .plain, opaque: packet.header.opaque, command: .heartbeat, body: packet.body)
        case .bytesMessage where manners.answersPublishes, .stringMessage where manners.answersPublishes:
            try Self.answer(packet, as: manners.acknowledgedID, into: &buffer)
        default: break
        }
        if packet.header.command != .connMeta { arrived.yield(packet) }
        if buffer.readableBytes > 0 { channel.writeAndFlush(buffer, promise: nil) }
        if manners.isDeaf { try channel.syncOptions?.setOption(.autoRead, value: false) }
        if manners.closesAfterWelcome { channel.close(promise: nil) }
    }

    func ask(headerOf size: Int, opaque: Int32) throws {
        var header = ProtoHeader()
        header.messageID = String(repeating: "0", count: 31) + "\(opaque % 10)"
        (header.topic, header.messageType, header.groupID) = ("trade", "paid", "p-pay")
        (header.expiredTime, header.deliverLimit, header.commit, header.fly) = (-1, 100, false, false)
        var property = ProtoEntry()
        (property.key, property.value) = ("k", String(repeating: "v", count: size))
        header.properties = [property]
        var buffer = ByteBuffer()
        try PacketWriter.writeTransactionAck(
            into: &buffer, framing: .plain, opaque: opaque, version: 0, extension: 0, header: header.serializedBuffer(),
            status: TransactionAck.Status.unknown, feedback: "")
        for connection in state.withLock({ $0.connections }) { connection.writeAndFlush(buffer, promise: nil) }
    }

    /// Reads again, what it did not read as well.
    func hear() async throws {
        behave { $0.isDeaf = false }
        for connection in state.withLock({ $0.connections }) {
            try await connection.setOption(.autoRead, value: true).get()
        }
    }

    func hangUp() {
        for connection in state.withLock({ $0.connections }) { connection.close(promise: nil) }
    }

    /// Bytes that wait because nobody reads them.
    var unsent: Int {
        get async throws {
            var sum = 0
            for connection in state.withLock({ $0.connections }) {
                sum += try await connection.getOption(.bufferedWritableBytes).get()
            }
            return sum
        }
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let broker: FakeBroker
        private let processor = NIOSingleStepByteToMessageProcessor(PacketDecoder())

        init(_ broker: FakeBroker) { self.broker = broker }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            do {
                try processor.process(buffer: unwrapInboundIn(data)) {
                    try broker.handle($0, of: context.channel)
                }
            } catch {
                context.close(promise: nil)
            }
        }
    }
}

extension Command {
    /// Whether this is a message, published or delivered.
    var isMessage: Bool { self == .bytesMessage || self == .stringMessage }
}
