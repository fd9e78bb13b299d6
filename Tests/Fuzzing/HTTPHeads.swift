import Foundation
import HTTPTypes
import Hummingbird
import KiteQBroker
import KiteQCore
import NIOCore
import NIOEmbedded
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1

@testable import KiteQAdmin

/// What the administration reads of a request before it knows who asks: bytes to heads, where they come from, by which names they call the
/// broker, and what they show of themselves.
enum HTTPHeads {
    /// The first byte says how large the reads are that the rest comes in.
    static func read(_ input: [UInt8]) {
        guard let size = input.first else { return }
        let whole = heads(in: input.dropFirst(), by: .max)
        let pieces = heads(in: input.dropFirst(), by: max(1, Int(size)))
        precondition(whole == pieces, "a stream has other requests where it comes in other pieces")
        for head in whole { HTTPCaller.check(head) }
    }

    /// A request as the decoder gave it, and as the rules see it.
    struct Head: Equatable {
        var decoded: HTTPRequestHead
        var request: HTTPRequest
    }

    private static func heads(in bytes: ArraySlice<UInt8>, by size: Int) -> [Head] {
        let (channel, limits) = (EmbeddedChannel(), AdminLimits())
        let decoded = Decoded()
        let requests = Requests(decoded)
        do {
            let pipeline = channel.pipeline.syncOperations
            var sizes = NIOHTTPDecoderLimitConfiguration()
            (sizes.maxHeaderFieldSize, sizes.maxHeaderListSize) = (limits.headerBytes, limits.allHeaderBytes)
            sizes.maxHeaderFieldCount = limits.headers
            try pipeline.configureHTTPServerPipeline(
                withPipeliningAssistance: false, withErrorHandling: false, withOutboundHeaderValidation: false,
                withEncoderConfiguration: .init(), withDecoderLimitConfiguration: sizes)
            try pipeline.addHandlers([
                decoded, RequestForm(), BodyPieces(), HTTP1ToHTTPServerCodec(secure: false), requests,
            ])
            try channel.connect(to: SocketAddress(ipAddress: "192.0.2.1", port: 1)).wait()
        } catch {
            preconditionFailure("no channel: \(error)")
        }
        var rest = bytes
        while !rest.isEmpty, requests.error == nil {
            channel.pipeline.fireChannelRead(ByteBuffer(bytes: rest.prefix(size)))
            channel.pipeline.fireChannelReadComplete()
            rest = rest.dropFirst(size)
        }
        if let error = requests.error as? HTTPParserError { check(UnreadableRequests.problem(for: error, limits)) }
        _ = try? channel.finish(acceptAlreadyClosed: true)  // What is left of it is no concern here.
        return requests.heads
    }

    /// What a caller is told.
    static func check(_ problem: Problem) {
        do {
            Sentences.check(String(buffer: try JSONText.encode(problem)))
            if let logged = problem.logged { precondition(logged.utf8.count <= 1_000) }
        } catch {
            preconditionFailure("a problem cannot be written: \(error)")
        }
    }

    /// Behind the decoder.
    private final class Decoded: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias InboundOut = HTTPServerRequestPart
        var last: HTTPRequestHead?

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            if case .head(let head) = unwrapInboundIn(data) { last = head }
            context.fireChannelRead(data)
        }
    }

    /// At the end: up to the first error, which ends a connection.
    private final class Requests: ChannelInboundHandler {
        typealias InboundIn = HTTPRequestPart
        private let decoded: Decoded
        var heads: [Head] = []
        var error: (any Error)?

        init(_ decoded: Decoded) { self.decoded = decoded }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            guard error == nil, case .head(let request) = unwrapInboundIn(data), let head = decoded.last else { return }
            heads.append(Head(decoded: head, request: request))
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { self.error = self.error ?? error }
    }
}
