import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import KiteQAdmin

/// How long a request may take to come and an answer to go, with the time in hand.
@Suite struct DeadlineTests {
    private static var head: HTTPServerRequestPart {
        .head(HTTPRequestHead(version: .http1_1, method: .POST, uri: "/"))
    }
    private static var end: HTTPServerRequestPart { .end(nil) }
    private static var answered: HTTPServerResponsePart { .end(nil) }

    /// 10 s for headers, 40 s for the rest, 30 s for an answer.
    private func withConnection(_ body: (EmbeddedChannel) throws -> Void) throws {
        let limits = AdminLimits()
        let channel = EmbeddedChannel(handlers: [AnswerDeadline(limits), RequestDeadline(limits)])
        defer { #expect(throws: Never.self) { _ = try channel.finish(acceptAlreadyClosed: true) } }
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
        try body(channel)
    }

    /// Whether the connection is open after so many seconds more.
    private func isOpen(_ channel: EmbeddedChannel, after seconds: Int64) -> Bool {
        channel.embeddedEventLoop.advanceTime(by: .seconds(seconds))
        return channel.isActive
    }

    @Test func headersHaveTheirTime() throws {
        try withConnection { channel in
            #expect(isOpen(channel, after: 600))
            // Some bytes that are no part of a request yet.
            channel.pipeline.fireChannelReadComplete()
            #expect(isOpen(channel, after: 9))
            channel.pipeline.fireChannelReadComplete()
            #expect(!isOpen(channel, after: 2))
        }
    }

    @Test func aBodyHasItsTimeAlsoAfterTheAnswer() throws {
        for isAnswered in [false, true] {
            try withConnection { channel in
                try channel.writeInbound(Self.head)
                if isAnswered { try channel.writeOutbound(Self.answered) }
                #expect(isOpen(channel, after: 39))
                #expect(!isOpen(channel, after: 2))
            }
        }
    }

    @Test func headersBehindAnUnansweredRequestAreNotLate() throws {
        try withConnection { channel in
            try channel.writeInbound(Self.head)
            try channel.writeInbound(Self.end)
            channel.pipeline.fireChannelReadComplete()
            #expect(isOpen(channel, after: 600))
            try channel.writeOutbound(Self.answered)
            #expect(isOpen(channel, after: 9))
            #expect(!isOpen(channel, after: 2))
        }
    }

    @Test func aBodyBehindAnUnansweredRequestIsNotLate() throws {
        try withConnection { channel in
            try channel.writeInbound(Self.head)
            try channel.writeInbound(Self.end)
            try channel.writeInbound(Self.head)
            #expect(isOpen(channel, after: 600))
            try channel.writeOutbound(Self.answered)
            #expect(isOpen(channel, after: 39))
            try channel.writeInbound(Self.end)
            #expect(isOpen(channel, after: 600))
        }
    }

    @Test func anAnswerHasItsTime() throws {
        try withConnection { channel in
            func setWritable(_ isWritable: Bool) {
                channel.isWritable = isWritable
                channel.pipeline.fireChannelWritabilityChanged()
            }
            setWritable(false)
            #expect(isOpen(channel, after: 29))
            setWritable(true)
            #expect(isOpen(channel, after: 600))
            setWritable(false)
            #expect(isOpen(channel, after: 29))
            #expect(!isOpen(channel, after: 2))
        }
    }
}
