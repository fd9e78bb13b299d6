import NIOCore
import NIOHTTP1
import NIOPosix
package import NIOSSL
import Synchronization

/// An HTTP server on loopback that answers as a test says, also as no server should.
package final class FixtureServer: Sendable {
    /// A request as it came.
    package struct Request: Sendable {
        package var method: String
        package var target: String
        package var headers: [(name: String, value: String)]
        package var body: String

        /// The first of that name.
        package func header(_ name: String) -> String? {
            headers.first { $0.name.lowercased() == name.lowercased() }?.value
        }
    }

    package enum Answer: Sendable {
        case json(String, status: Int = 200)
        /// As RFC 9457 has it.
        case problem(String, status: Int)
        case other(String, type: String, status: Int)
        case redirect(to: String)
        /// Chunks without an end that is known before.
        case endless(chunk: String, count: Int)
        /// The head, the beginning of the body, and nothing more.
        case beginning(String)
        case silence
        case close
    }

    package let port: Int
    private let listening: any Channel
    private let seen: Log

    package var requests: [Request] { seen.requests.withLock { $0 } }

    private final class Log: Sendable {
        let requests = Mutex<[Request]>([])
    }

    private init(listening: any Channel, seen: Log) {
        self.listening = listening
        self.seen = seen
        port = listening.localAddress?.port ?? 0
    }

    /// A server that lives as long as `body` runs.
    package static func with<Result>(
        tls: NIOSSLContext? = nil, _ answer: @escaping @Sendable (Request) -> Answer,
        _ body: (FixtureServer) async throws -> Result
    ) async throws -> Result {
        let seen = Log()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let tls { try pipeline.addHandler(NIOSSLServerHandler(context: tls)) }
                    try pipeline.configureHTTPServerPipeline()
                    try pipeline.addHandler(
                        Handler { request in
                            seen.requests.withLock { $0.append(request) }
                            return answer(request)
                        })
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let server = FixtureServer(listening: channel, seen: seen)
        do {
            let result = try await body(server)
            try await channel.close()
            return result
        } catch {
            try await channel.close()
            throw error
        }
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let answer: @Sendable (Request) -> Answer
        private var request = Request(method: "", target: "", headers: [], body: "")

        init(answer: @escaping @Sendable (Request) -> Answer) {
            self.answer = answer
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head):
                request = Request(
                    method: head.method.rawValue, target: head.uri, headers: head.headers.map { ($0.name, $0.value) },
                    body: "")
            case .body(let bytes): request.body += String(buffer: bytes)
            case .end: write(answer(request), context)
            }
        }

        /// What a client does not want to hear ends its connection: that is no error here.
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

        private func write(_ answer: Answer, _ context: ChannelHandlerContext) {
            switch answer {
            case .json(let text, let status): write(text, "application/json; charset=utf-8", status, context)
            case .problem(let text, let status): write(text, "application/problem+json", status, context)
            case .other(let text, let type, let status): write(text, type, status, context)
            case .redirect(let place):
                head(307, ["Location": place, "Content-Length": "0"], context)
                end(context)
            case .endless(let chunk, let count):
                head(200, ["Content-Type": "application/json", "Transfer-Encoding": "chunked"], context)
                for _ in 0..<count { body(chunk, context) }
                end(context)
            case .beginning(let text):
                head(200, ["Content-Type": "application/json", "Content-Length": "100000"], context)
                body(text, context)
                context.flush()
            case .silence: break
            case .close: context.close(promise: nil)
            }
        }

        private func write(_ text: String, _ type: String, _ status: Int, _ context: ChannelHandlerContext) {
            head(status, ["Content-Type": type, "Content-Length": "\(text.utf8.count)"], context)
            body(text, context)
            end(context)
        }

        private func head(_ status: Int, _ headers: HTTPHeaders, _ context: ChannelHandlerContext) {
            let head = HTTPResponseHead(version: .http1_1, status: .init(statusCode: status), headers: headers)
            context.write(wrapOutboundOut(.head(head)), promise: nil)
        }

        private func body(_ text: String, _ context: ChannelHandlerContext) {
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: text)))), promise: nil)
        }

        private func end(_ context: ChannelHandlerContext) {
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
    }
}
