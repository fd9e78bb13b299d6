/// How long a client waits before it connects to a broker again.
///
/// A broker that lets clients in and then loses them is as bad as one that cannot be reached: only a connection that held for a while
/// ends the row of failures.
struct ReconnectBackoff: Sendable {
    private let shortest: Duration
    private let longest: Duration
    private(set) var failures = 0

    /// - Parameters:
    ///   - shortest: after the first failure; it doubles up to `longest`.
    ///   - longest: and for how long a connection has to hold.
    init(shortest: Duration, longest: Duration) {
        self.shortest = shortest
        self.longest = longest
    }

    mutating func failed() { failures += 1 }

    /// A connection that was let in has ended.
    mutating func ended(after held: Duration) { failures = held >= longest ? 0 : failures + 1 }

    /// The longest wait before the next attempt.
    var wait: Duration { min(longest, shortest * (1 << min(max(0, failures - 1), 10))) }
}
