import KiteQWire
import Logging
import NIOCore
import NIOEmbedded
import Testing

@testable import KiteQ

/// A consumer whose broker does not read the answers.
@Suite(.timeLimit(.minutes(1))) struct UnsentAnswersTests {
    /// What a socket does whose other end reads nothing; and how often it is asked for more.
    private final class Socket: ChannelDuplexHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundIn = ByteBuffer
        var isDeaf = false
        var reads = 0

        func flush(context: ChannelHandlerContext) {
            if !isDeaf { context.flush() }
        }

        func read(context: ChannelHandlerContext) {
            reads += 1
            context.read()
        }
    }

    private let socket = Socket()
    private let channel = EmbeddedChannel()

    /// Each delivery is answered at once, with 100 KiB.
    private func connect(heartbeat: Duration = .seconds(10)) throws -> ClientHandler {
        var configuration = KiteQConfiguration(group: "s-member", discovery: .brokers(["127.0.0.1:1"]))
        configuration.heartbeatInterval = heartbeat
        let answer = NIOLoopBoundBox<((Int32, MessageBody) -> Void)?>(nil, eventLoop: channel.embeddedEventLoop)
        let handler = ClientHandler(
            configuration: configuration, role: .consumer(window: 100),
            hands: DeliveriesInHand(configuration, window: 100), responsiveness: Responsiveness(patience: .seconds(5)),
            eventLoop: channel.embeddedEventLoop, logger: Logger(label: "test")
        ) { event in
            if case .delivery(let opaque, _, let parts) = event { answer.value?(opaque, parts) }
        }
        answer.value = { [unowned handler] opaque, parts in
            handler.acknowledge(opaque: opaque, header: parts.header, isSuccess: true, feedback: "")
        }
        try channel.pipeline.syncOperations.addHandlers([socket, handler])
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
        var welcome = ByteBuffer()
        PacketWriter.writeConnAuthAck(
            into: &welcome, framing: .plain, opaque: 0, version: 0, extension: 0, status: true, feedback: "welcome",
            extensions: nil)
        try channel.writeInbound(welcome)
        channel.isWritable = false
        socket.isDeaf = true
        return handler
    }

    private func deliver(_ opaques: ClosedRange<Int32>) throws {
        let topic = String(repeating: "t", count: 100 << 10)
        for opaque in opaques {
            try channel.writeInbound(try FakeBroker.delivery("x", topic: topic, opaque: opaque))
        }
    }

    /// Whether it is read when it has something to be read.
    private var isRead: Bool {
        let before = socket.reads
        channel.read()
        return socket.reads > before
    }

    @Test func itIsReadUpToAMebibyteOfThem() throws {
        let handler = try connect()
        try deliver(1...10)
        #expect(isRead && handler.pause == nil)
        try deliver(11...11)
        #expect(!isRead && !isRead)
        guard case .answersUnsent = handler.pause else { return #expect(Bool(false)) }
        // And what was to be read is, as soon as they are gone.
        let before = socket.reads
        (socket.isDeaf, channel.isWritable) = (false, true)
        channel.flush()
        channel.pipeline.fireChannelWritabilityChanged()
        #expect(socket.reads == before + 1 && isRead && handler.pause == nil)
        _ = try channel.finish()
    }

    @Test func itIsLeftAfterThreeHeartbeats() throws {
        let handler = try connect(heartbeat: .milliseconds(20))
        try deliver(1...11)
        guard case .answersUnsent(let since) = handler.pause else { return #expect(Bool(false)) }
        // Its clock is the system's.
        let end = since + .seconds(20)
        while channel.isActive, NIODeadline.now() < end {
            channel.embeddedEventLoop.advanceTime(by: .milliseconds(20))
        }
        #expect(!channel.isActive && NIODeadline.now() - since > .milliseconds(60))
        _ = try channel.finish(acceptAlreadyClosed: true)
    }
}
