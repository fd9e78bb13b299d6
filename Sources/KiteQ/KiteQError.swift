/// Why a client could not do what it was asked.
public struct KiteQError: Error, Sendable, Hashable, CustomStringConvertible {
    public enum Code: Sendable, Hashable {
        /// The broker refused it, for the reason in the message. It is not stored.
        case refused
        /// No answer in time, the connection was lost before it came, or the broker's database did not say how a commit ended: the
        /// message may be stored or not. Publishing it again with the same id is safe while it is undone, and on the same broker
        /// for a minute after; a ``Producer`` sends it there as long as that broker answers.
        case outcomeUnknown
        /// No broker of the topic could be reached in time. Nothing was sent.
        case notConnected
        /// The client is not running any more, or not yet.
        case closed
        /// The message or the configuration cannot be used.
        case invalid
    }

    public let code: Code
    public let message: String

    /// Whether the same call may succeed later.
    public var isRetriable: Bool { code == .outcomeUnknown || code == .notConnected }

    public var description: String { message }

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}
