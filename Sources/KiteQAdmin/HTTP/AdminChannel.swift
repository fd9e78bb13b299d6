import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOSSL

/// A connection of the administration, where there is a place for it: TLS as it stands when it comes, then HTTP with its
/// limits.
struct AdminChannel: ServerChildChannel {
    private let http: HTTP1Channel
    private let tls: AdminTLS
    private let limits: AdminLimits
    private let connections: AdminConnections
    private let refusals: HTTPRefusals

    /// What the system holds of answers of one connection.
    private static let sentBytes = ChannelOptions.Types.SocketOption.Value(256 << 10)

    init(
        _ responder: @escaping HTTPChannelHandler.Responder, tls: AdminTLS, limits: AdminLimits, refusals: HTTPRefusals
    ) {
        self.tls = tls
        self.limits = limits
        connections = AdminConnections(limits, refusals)
        self.refusals = refusals
        http = HTTP1Channel(
            responder: responder,
            configuration: .init(
                additionalChannelHandlers: [UnreadableRequests(limits, refusals: refusals)],
                idleTimeout: TimeAmount(limits.idleTime),
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: limits.headerBytes, maxHeaderListSize: limits.allHeaderBytes,
                    maxHeaderFieldCount: limits.headers)))
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
        let (http, limits, connections, refusals) = (http, limits, connections, refusals)
        return channel.eventLoop.makeCompletedFuture {
            try connections.enter(channel)
            // What is read and not asked for yet is little.
            try channel.syncOptions?.setOption(.maxMessagesPerRead, value: 1)
            try channel.syncOptions?.setOption(
                .recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: BodyPieces.readBytes))
            // The system would keep megabytes of an answer that nobody reads.
            try channel.syncOptions?.setOption(.socketOption(.so_sndbuf), value: Self.sentBytes)
            guard let context = tls.context else { return }
            try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
            try channel.pipeline.syncOperations.addHandler(RevocationGate(tls, refusals))
        }.flatMap {
            http.setup(channel: channel, logger: logger)
        }.flatMapThrowing { value in
            let pipeline = channel.pipeline.syncOperations
            let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
            try pipeline.addHandler(BodyPieces(), position: .after(decoder))
            try pipeline.addHandler(RequestDeadline(limits), position: .after(decoder))
            try pipeline.addHandler(PlaceHandler(connections, limits), position: .after(decoder))
            try pipeline.addHandler(AnswerDeadline(limits), position: .after(decoder))
            try pipeline.addHandler(RequestForm(), position: .after(decoder))
            return value
        }
    }

    func handle(value: HTTP1Channel.Value, logger: Logger) async { await http.handle(value: value, logger: logger) }
}
