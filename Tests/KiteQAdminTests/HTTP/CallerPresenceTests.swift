import Logging
import NIOCore
import NIOEmbedded
import Testing

@testable import KiteQAdmin

/// Whether somebody still waits for an answer.
@Suite struct CallerPresenceTests {
    /// A connection that has its place.
    private func withConnection(
        _ body: (EmbeddedChannel, AdminConnections, CallerPresence) throws -> Void
    ) throws {
        let limits = AdminLimits()
        let connections = AdminConnections(limits, HTTPRefusals(logger: Logger(label: "test")))
        let channel = EmbeddedChannel(handler: PlaceHandler(connections, limits))
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
        try connections.enter(channel)
        try body(channel, connections, try #require(connections.presence(of: channel)))
        _ = try channel.finish(acceptAlreadyClosed: true)
    }

    @Test func whoSendsNoMoreHasLeft() throws {
        try withConnection { channel, _, presence in
            #expect(!presence.hasLeft)
            channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.outputClosed)
            #expect(!presence.hasLeft)
            channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
            #expect(presence.hasLeft)
        }
    }

    @Test func whoHasClosedHasLeft() throws {
        try withConnection { channel, connections, presence in
            channel.close(promise: nil)
            channel.embeddedEventLoop.run()
            #expect(presence.hasLeft && connections.presence(of: channel) == nil)
        }
    }

    @Test func aTaskKnowsItsOwnCaller() throws {
        let presence = CallerPresence()
        let here = CallerPresence.$current.withValue(presence) { CallerPresence.here }
        #expect(here() && CallerPresence.here())
        presence.leave()
        #expect(!here() && CallerPresence.here(), "where there is no connection nobody leaves")
    }
}
