import NIOCore
import NIOSSL
import Synchronization
import TestSupport

/// A connection to the administration that sends what a test says, byte by byte where it likes.
final class RawClient: Sendable {
    private struct State {
        var received = ""
        var isClosed = false
    }

    private let channel: any Channel
    private let state: Log

    private final class Log: Sendable {
        let state = Mutex(State())
    }

    private init(_ channel: any Channel, _ state: Log) {
        self.channel = channel
        self.state = state
    }

    /// - Parameter tls: nil: plain text.
    static func connect(to port: Int, tls: NIOSSLContext? = nil) async throws -> RawClient {
        let log = Log()
        let channel = try await TestConnection.open(port: port, tls: tls) { Handler(log) }
        return RawClient(channel, log)
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let log: Log
        init(_ log: Log) { self.log = log }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let text = String(buffer: unwrapInboundIn(data))
            log.state.withLock { $0.received += text }
        }

        func channelInactive(context: ChannelHandlerContext) { log.state.withLock { $0.isClosed = true } }

        /// A certificate that is not trusted, a reset: whatever it is, the connection is over.
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }

    var received: String { state.state.withLock { $0.received } }
    var isClosed: Bool { state.state.withLock { $0.isClosed } }

    /// What cannot be sent any more is seen by ``isClosed``.
    func send(_ text: String) { channel.writeAndFlush(ByteBuffer(string: text), promise: nil) }

    /// Asks whether the process lives, and waits for the answer's head.
    func ask() async throws -> String {
        send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return try await answer()
    }

    /// The same by another name of the broker; the whole answer, "" where there is none.
    func ask(host: String) async throws -> String {
        send("GET /healthz HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n\r\n")
        try await closed()
        return received
    }

    /// The first line of the next answer; "" where the connection ends without one.
    func answer() async throws -> String {
        try await eventually("an answer, or the end") { self.isClosed || Self.end(of: self.received) != nil }
        return state.state.withLock { state in
            guard let end = Self.end(of: state.received) else { return "" }
            defer { state.received = String(decoding: state.received.utf8.dropFirst(end), as: UTF8.self) }
            return String(state.received.prefix { !$0.isNewline })
        }
    }

    /// Bytes of the first answer, its body included; nil where it is not whole yet.
    private static func end(of received: String) -> Int? {
        guard let gap = received.firstRange(of: "\r\n\r\n") else { return nil }
        let head = received[..<gap.upperBound]
        let field = head.split(whereSeparator: \.isNewline).first { $0.lowercased().hasPrefix("content-length:") }
        let length = field?.split(separator: " ").last.flatMap { Int($0) } ?? 0
        return received.utf8.count >= head.utf8.count + length ? head.utf8.count + length : nil
    }

    /// Waits until the server has ended it.
    func closed() async throws { try await eventually("the connection ends") { self.isClosed } }

    /// Sends piece after piece, until the server ends it.
    func send(slowly piece: String) async throws {
        try await eventually("the connection ends") {
            if !self.isClosed { self.send(piece) }
            return self.isClosed
        }
    }

    /// What comes from now on stays where it is.
    /// - Parameter bytes: of the socket's buffer; nil: as it is.
    func stopReading(holding bytes: Int? = nil) async throws {
        try await channel.setOption(.autoRead, value: false).get()
        if let bytes {
            try await channel.setOption(.socketOption(.so_rcvbuf), value: numericCast(bytes)).get()
        }
    }

    func close() { channel.close(promise: nil) }
}
