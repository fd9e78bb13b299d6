import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOSSL

/// A connection of the administration, where its address has not too many: TLS as it stands when it comes, then HTTP with its
/// limits.
struct AdminChannel: ServerChildChannel {
    private let http: HTTP1Channel
    private let tls: AdminTLS
    private let limits: AdminLimits
    private let connections: ConnectionsByAddress

    init(
        _ responder: @escaping HTTPChannelHandler.Responder, tls: AdminTLS, limits: AdminLimits, refusals: HTTPRefusals
    ) {
        self.tls = tls
        self.limits = limits
        connections = ConnectionsByAddress(limit: limits.maxConnectionsPerAddress, refusals: refusals)
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
        let (http, limits) = (http, limits)
        return channel.eventLoop.makeCompletedFuture {
            try connections.enter(channel)
            guard let context = tls.context else { return }
            try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
        }.flatMap {
            http.setup(channel: channel, logger: logger)
        }.flatMapThrowing { value in
            let pipeline = channel.pipeline.syncOperations
            let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
            try pipeline.addHandler(RequestDeadline(limits), position: .after(decoder))
            try pipeline.addHandler(AnswerDeadline(limits), position: .after(decoder))
            try pipeline.addHandler(RequestForm(), position: .after(decoder))
            return value
        }
    }

    func handle(value: HTTP1Channel.Value, logger: Logger) async { await http.handle(value: value, logger: logger) }
}
