import KiteQCore

/// A client that may be asked about half messages. Its methods are called from any thread.
protocol QuestionedClient: AnyObject, Sendable {
    /// One of its own, of no other client of this broker.
    var id: UInt64 { get }
    var group: String { get }
    var isOpen: Bool { get }
    /// How well it can be asked about a half message; nil where it must not be.
    var askPreference: Int? { get }
    /// It was asked, and has answered nothing since, for long, or could not tell.
    func isUnhelpful(now: MonotonicTime) -> Bool
    /// Asks whether this half message is to be committed. Does not wait.
    func ask(about message: Message)
}

/// Knows the clients that are here.
protocol ClientDirectory: Sendable {
    /// The clients of the group that can be asked about its half messages.
    func askable(of group: String) -> [any QuestionedClient]
}
