import KiteQCore
import NIOCore
import NIOPosix

/// One connection of the load.
struct BenchClient: Sendable {
    private let channel: any Channel
    private let handler: NIOLoopBound<BenchHandler>

    static func connect(
        to address: BrokerAddress, group: String, on eventLoop: any EventLoop, publishing: BenchPublishing?,
        fly: NIOLoopBound<FlyWindow>? = nil
    ) async throws -> BenchClient {
        let channel = try await ClientBootstrap(group: eventLoop)
            .channelOption(.socketOption(.tcp_nodelay), value: 1)
            .channelOption(.maxMessagesPerRead, value: 16)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        BenchHandler(
                            group: group, publishing: publishing, fly: fly?.value, eventLoop: channel.eventLoop))
                }
            }
            .connect(host: address.host, port: address.port).get()
        let handler = try await eventLoop.submit {
            NIOLoopBound(try channel.pipeline.syncOperations.handler(type: BenchHandler.self), eventLoop: eventLoop)
        }.get()
        try await eventLoop.flatSubmit { handler.value.greeted.futureResult }.get()
        return BenchClient(channel: channel, handler: handler)
    }

    func start() { channel.eventLoop.execute { self.handler.value.start() } }

    /// Counts from now on.
    func measure() async throws {
        try await channel.eventLoop.submit { self.handler.value.measure() }.get()
    }

    func measured() async throws -> BenchHandler.Measured {
        try await channel.eventLoop.submit { self.handler.value.measured }.get()
    }

    /// Publishes no more; returns when every store ack came.
    func finish() async throws {
        try await channel.eventLoop.flatSubmit { self.handler.value.finish() }.get()
    }

    /// Returns when all that was to be published is acknowledged.
    func allAcknowledged() async throws {
        try await channel.eventLoop.flatSubmit { self.handler.value.allAcknowledged() }.get()
    }

    func close() async throws { try await channel.close() }
}

/// How a connection publishes.
struct BenchPublishing: Sendable {
    var messageType: String
    var outstanding: Int
    var size: Int
    var isFly = false
    /// Messages in all; nil: without end.
    var count: Int?
    /// Nanoseconds between two messages of this connection in open-loop mode; nil: as fast as store acks come.
    var interval: Int64?
}
