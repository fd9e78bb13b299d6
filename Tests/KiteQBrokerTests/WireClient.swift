import KiteQCore
import KiteQWire
import NIOCore
import NIOSSL
import TestSupport

/// A client that speaks packets, so that a test can send what no well-behaved client would.
final class WireClient: Sendable {
    let channel: any Channel
    private let packets: PacketQueue

    private init(_ channel: any Channel, _ packets: PacketQueue) {
        self.channel = channel
        self.packets = packets
    }

    /// - Parameter tls: encrypted where given; the server is verified by its context.
    static func connect(
        to address: BrokerAddress, framing: Framing = .plain, tls: NIOSSLContext? = nil
    ) async throws -> WireClient {
        let packets = PacketQueue()
        let channel = try await TestConnection.open(to: address.host, port: address.port, tls: tls) {
            WireHandler(packets, framing: framing)
        }
        return WireClient(channel, packets)
    }

    /// Connects and is let in.
    static func greeted(
        _ group: String, at address: BrokerAddress, secret: String = "", framing: Framing = .plain,
        tls: NIOSSLContext? = nil
    ) async throws -> WireClient {
        let client = try await connect(to: address, framing: framing, tls: tls)
        let ack = try await client.greet(group, secret: secret, framing: framing)
        guard ack.status else { throw Refused(feedback: ack.feedback) }
        return client
    }

    struct Refused: Error { let feedback: String }

    func greet(_ group: String, secret: String = "", framing: Framing = .plain) async throws -> ConnAuthAck {
        var buffer = ByteBuffer()
        try PacketWriter.writeConnMeta(
            into: &buffer, framing: framing, opaque: 7, ConnMeta(groupID: group, secretKey: secret, warmingUpSeconds: 0)
        )
        try await send(buffer)
        return try ConnAuthAck(decoding: try await next(.connAuth).body)
    }

    func send(_ buffer: ByteBuffer) async throws { try await channel.writeAndFlush(buffer) }

    // MARK: Publishing

    struct Publish {
        var id = MessageID.random().description
        var topic = "trade"
        var type = "paid"
        var group = "p-pay"
        var body = "body"
        var isCommitted = true
        var isFly = false
        var expiredTime: Int64 = -1
        var deliverLimit: Int32 = 100
        var createTime: Int64?
        var properties: [(key: String, value: String)] = []

        func header() throws -> ByteBuffer {
            var header = ProtoHeader()
            header.messageID = id
            header.topic = topic
            header.messageType = type
            header.groupID = group
            header.commit = isCommitted
            header.fly = isFly
            header.expiredTime = expiredTime
            header.deliverLimit = deliverLimit
            header.properties = properties.map { property in
                var entry = ProtoEntry()
                (entry.key, entry.value) = property
                return entry
            }
            if let createTime { header.createTime = createTime }
            return try header.serializedBuffer()
        }
    }

    func publish(_ publish: Publish, opaque: Int32 = 11) async throws -> StoreAck {
        var buffer = ByteBuffer()
        try PacketWriter.writeDelivery(
            into: &buffer, framing: .plain, opaque: opaque, version: 0, extension: 0, command: .stringMessage,
            header: publish.header(), body: ByteBuffer(string: publish.body), extra: nil)
        try await send(buffer)
        return try StoreAck(decoding: try await next(.messageStoreAck).body)
    }

    func decide(_ publish: Publish, _ status: Int32, opaque: Int32 = 12) async throws {
        var buffer = ByteBuffer()
        try PacketWriter.writeTransactionAck(
            into: &buffer, framing: .plain, opaque: opaque, version: 0, extension: 0, header: publish.header(),
            status: status, feedback: "")
        try await send(buffer)
    }

    // MARK: Consuming

    struct Delivered {
        var opaque: Int32
        var header: MessageHeaderView
        var body: String
    }

    func delivery() async throws -> Delivered {
        let packet = try await packets.next { [Command.bytesMessage, .stringMessage].contains($0.header.command) }
        let parts = try MessageBody.split(packet.body)
        return Delivered(
            opaque: packet.header.opaque, header: try MessageHeaderView(decoding: parts.header),
            body: String(buffer: parts.body))
    }

    func acknowledge(_ delivered: Delivered, _ isSuccess: Bool = true) async throws {
        var buffer = ByteBuffer()
        try PacketWriter.writeDeliverAck(
            into: &buffer, framing: .plain, opaque: delivered.opaque, header: delivered.header, status: isSuccess,
            feedback: isSuccess ? "" : "not now")
        try await send(buffer)
    }

    // MARK: Packets

    /// The ids of the half messages that it was asked about, of the questions that nothing took yet.
    func questions() throws -> [String] {
        try packets.waiting.filter { $0.header.command == .txAck }
            .map { try MessageHeaderView(decoding: TransactionAck(decoding: $0.body).header).messageID }
    }

    /// The next packet of this command; others stay for later.
    func next(_ command: Command) async throws -> Packet {
        try await packets.next { $0.header.command == command }
    }

    /// Returns when the broker has closed the connection.
    func closed() async throws { try await channel.closeFuture.get() }

    func close() async throws { try await channel.close() }
}
