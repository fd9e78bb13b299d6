import NIOCore
import NIOHTTP1

/// Closes a connection whose request is not here in time: its headers, then all of it. Bytes that come one by one would keep
/// it for ever otherwise. It is after the HTTP decoder: what was read and gave no part of a request is of headers.
///
/// While an earlier request is not answered no time runs: what comes behind it is not read then, and who sends is not late.
final class RequestDeadline: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// What is here of the request that comes now.
    private enum Part { case nothing, someHeaders, allHeaders }

    private let headerTime: TimeAmount
    /// From the last of the headers; longer than a body is waited for, so that who is late hears of it first.
    private let restTime: TimeAmount
    private var timer: Scheduled<Void>?
    private var part = Part.nothing
    /// Requests whose headers came, and that are not answered: the one that comes now is among them.
    private var unanswered = 0
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
            unanswered += 1
            wait(.allHeaders, context)
        case .body: break
        case .end: wait(.nothing, context)
        }
        context.fireChannelRead(data)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if !gavePart, part == .nothing { wait(.someHeaders, context) }
        gavePart = false
        context.fireChannelReadComplete()
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) {
            // What is no HTTP is answered, too, without having been a request.
            unanswered = max(0, unanswered - 1)
            if timer == nil { wait(part, context) }
        }
        context.write(data, promise: promise)
    }

    func channelInactive(context: ChannelHandlerContext) {
        stop()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { stop() }

    /// Begins anew to wait for what is missing, unless an earlier request holds it up.
    private func wait(_ part: Part, _ context: ChannelHandlerContext) {
        stop()
        self.part = part
        switch part {
        case .someHeaders where unanswered == 0: start(headerTime, context)
        case .allHeaders where unanswered <= 1: start(restTime, context)
        case .nothing, .someHeaders, .allHeaders: break
        }
    }

    private func start(_ time: TimeAmount, _ context: ChannelHandlerContext) {
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: time) { context.close(promise: nil) }
    }

    private func stop() {
        timer?.cancel()
        timer = nil
    }
}
