/// What one caller may take of the administration, beside the sizes of bodies (``Limits``).
package struct AdminLimits: Sendable, Hashable {
    /// Connections at a time; more wait to be accepted. Each pull that waits has one.
    package var maxConnections = 1_000
    /// A connection on which no request is under way, or that sends none of one, is closed after this.
    package var idleTime = Duration.seconds(60)
    /// From the first byte of a request to the last of its headers; the connection is closed then.
    package var headerTime = Duration.seconds(10)
    /// For a body: who needs longer is told so, and whose body still comes a while later has its connection closed.
    package var bodyTime = Duration.seconds(30)
    /// Bytes of one header, and of all; and how many.
    package var headerBytes = 16 << 10
    package var allHeaderBytes = 32 << 10
    package var headers = 100

    package init() {}
}
