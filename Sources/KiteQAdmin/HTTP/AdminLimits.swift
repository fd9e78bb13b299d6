/// What callers may take of the administration: all of them together (``maxConnections``, ``bodyMemory``), those of one address
/// (``maxConnectionsPerAddress``), and one connection (all else).
package struct AdminLimits: Sendable, Hashable {
    /// Connections at a time. Each pull that waits has one. One more takes the place of the one that has had no request under way for
    /// the longest time.
    package var maxConnections = 1_000
    /// Connections at a time from one address, be it a proxy's or this machine's own. A /64 of IPv6 is one address.
    package var maxConnectionsPerAddress = 200
    /// Beyond these, where each has a request under way: connections for `/healthz`, `/readyz` and `/metrics` alone.
    package var reserve = 32
    /// From the connection's start to the last of its first request's headers; it is closed then.
    package var firstRequestTime = Duration.seconds(5)
    /// A connection on which no request is under way is closed after this.
    package var idleTime = Duration.seconds(60)
    /// From the first byte of a request to the last of its headers; the connection is closed then.
    package var headerTime = Duration.seconds(10)
    /// For a body: who needs longer is told so, and whose body still comes a while later has its connection closed.
    package var bodyTime = Duration.seconds(30)
    /// For an answer to be read: the connection is closed where more than the last bytes of it wait to be sent for longer.
    package var answerTime = Duration.seconds(30)
    /// Requests of one connection that are not answered; one more ends it.
    package var pipelined = 32
    /// Bytes of one header, and of all; and how many.
    package var headerBytes = 16 << 10
    package var allHeaderBytes = 32 << 10
    package var headers = 100
    /// Bytes of a body with messages: one of the largest, as base64, with its properties.
    package var publishBody = 3 << 20
    /// Bytes of all bodies that are read or worked on at a time, and as many again of answers to pulls that are not read yet. One group,
    /// and one address, may have ``share(of:)``.
    package var bodyMemory = 32 << 20

    /// How long a body may wait until there is room for it.
    package var roomTime = Duration.seconds(5)

    package init() {}

    /// What one of them may take of what there is for all.
    package static func share(of all: Int) -> Int { all / 2 }
}
