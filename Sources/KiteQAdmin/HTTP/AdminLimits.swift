/// What callers may take of the administration, beside the sizes of bodies (``Limits``): all of them together
/// (``maxConnections``), those of one address (``maxConnectionsPerAddress``), and one connection (all else).
package struct AdminLimits: Sendable, Hashable {
    /// Connections at a time; more wait to be accepted. Each pull that waits has one.
    package var maxConnections = 1_000
    /// Connections at a time from one address, be it a proxy's or this machine's own; one more is closed at once. A /64 of
    /// IPv6 is one address.
    package var maxConnectionsPerAddress = 200
    /// A connection on which no request is under way, or that sends none of one, is closed after this.
    package var idleTime = Duration.seconds(60)
    /// From the first byte of a request to the last of its headers; the connection is closed then.
    package var headerTime = Duration.seconds(10)
    /// For a body: who needs longer is told so, and whose body still comes a while later has its connection closed.
    package var bodyTime = Duration.seconds(30)
    /// For an answer to be read: the connection is closed where more than the last bytes of it wait to be sent for longer.
    package var answerTime = Duration.seconds(30)
    /// Bytes of one header, and of all; and how many.
    package var headerBytes = 16 << 10
    package var allHeaderBytes = 32 << 10
    package var headers = 100

    package init() {}
}
