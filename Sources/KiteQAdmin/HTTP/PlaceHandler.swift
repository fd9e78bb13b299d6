import HTTPTypes
import NIOCore
import NIOHTTP1

/// Says when requests of a connection begin and end, and ends it where its first one is late, where too many wait for their answers, or
/// where its place is for the probe and it asks something else.
final class PlaceHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private static let probePaths = ["/healthz", "/readyz", "/metrics"]

    private let connections: AdminConnections
    private let limits: AdminLimits
    private var firstRequest: Scheduled<Void>?
    /// Requests whose headers came, and that are not answered.
    private var unanswered = 0
    /// What comes now is nobody's.
    private var isEnding = false

    init(_ connections: AdminConnections, _ limits: AdminLimits) {
        self.connections = connections
        self.limits = limits
    }

    func handlerAdded(context: ChannelHandlerContext) {
        firstRequest = context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(limits.firstRequestTime)) {
            context.close(promise: nil)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) { stop() }

    func channelInactive(context: ChannelHandlerContext) {
        stop()
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed? = event as? ChannelEvent {
            connections.presence(of: context.channel)?.leave()
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isEnding else { return }
        if case .head(let head) = unwrapInboundIn(data) {
            stop()
            unanswered += 1
            guard unanswered <= limits.pipelined else {
                isEnding = true
                return context.close(promise: nil)
            }
            let path = head.uri.prefix { $0 != "?" }
            guard connections.begin(context.channel, isProbe: Self.probePaths.contains { $0 == path }) else {
                return refuse(context, head)
            }
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data), unanswered > 0 {
            unanswered -= 1
            connections.end(context.channel)
        }
        context.write(data, promise: promise)
    }

    private func refuse(_ context: ChannelHandlerContext, _ request: HTTPRequestHead) {
        isEnding = true
        let problem = Problem(
            .serviceUnavailable,
            "each connection from this address has a request under way; another one answers \(Self.probePaths.joined(separator: ", ")) alone"
        )
        do {
            let body = try JSONText.encode(problem)
            var head = HTTPResponseHead(version: .http1_1, status: .serviceUnavailable)
            head.headers.add(name: "Content-Type", value: "application/problem+json")
            head.headers.add(name: "Content-Length", value: "\(body.readableBytes)")
            head.headers.add(name: "Retry-After", value: "1")
            head.headers.add(name: "Connection", value: "close")
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            if request.method != .HEAD { context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil) }
        } catch {
            return context.close(promise: nil)
        }
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: written)
    }

    private func stop() {
        firstRequest?.cancel()
        firstRequest = nil
    }
}
