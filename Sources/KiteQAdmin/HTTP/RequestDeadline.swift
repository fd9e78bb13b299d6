import NIOCore
import NIOHTTP1

/// Closes a connection whose request is not here in time: its headers, then all of it. Bytes that come one by one would keep
/// it for ever otherwise. It is after the HTTP decoder: what was read and gave no part of a request is of headers.
final class RequestDeadline: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart

    private let headerTime: TimeAmount
    /// From the last of the headers; longer than a body is waited for, so that who is late hears of it first.
    private let restTime: TimeAmount
    private var timer: Scheduled<Void>?
    private var isInRequest = false
    /// Whether what was read now gave a part of a request.
    private var gavePart = false

    init(_ limits: AdminLimits) {
        headerTime = TimeAmount(limits.headerTime)
        restTime = TimeAmount(limits.bodyTime + limits.headerTime)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        gavePart = true
        switch unwrapInboundIn(data) {
        case .head:
            isInRequest = true
            start(restTime, context)
        case .body: break
        case .end:
            isInRequest = false
            stop()
        }
        context.fireChannelRead(data)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if !gavePart, !isInRequest, timer == nil { start(headerTime, context) }
        gavePart = false
        context.fireChannelReadComplete()
    }

    func channelInactive(context: ChannelHandlerContext) {
        stop()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { stop() }

    private func start(_ time: TimeAmount, _ context: ChannelHandlerContext) {
        stop()
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: time) { context.close(promise: nil) }
    }

    private func stop() {
        timer?.cancel()
        timer = nil
    }
}
