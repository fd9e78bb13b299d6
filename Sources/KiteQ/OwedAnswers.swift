import KiteQWire
import NIOCore

/// The publishes of one connection that await their store ack. Lives on its event loop.
///
/// A publish that was given up (its caller was told that its outcome is not known) is still owed until the broker says
/// anything at all: only so a broker that hangs is known for one.
struct OwedAnswers {
    private struct Owed {
        /// Nil once its caller waits no more.
        var promise: EventLoopPromise<StoreAck>?
    }

    private var owed: [Int32: Owed] = [:]
    /// In the order of sending; what was answered goes when it comes to the front.
    private var sent = CircularBuffer<(opaque: Int32, at: NIODeadline)>()
    /// In the same order, for all have the same time; at the front is one whose caller waits.
    private var waiting = CircularBuffer<(opaque: Int32, until: NIODeadline)>()
    private var givenUp: [Int32] = []
    private let timeout: TimeAmount

    init(timeout: TimeAmount) {
        self.timeout = timeout
    }

    /// When the oldest that is owed was sent.
    var owedSince: NIODeadline? { sent.first?.at }
    /// When the next one is to be given up.
    var nextGivenUp: NIODeadline? { waiting.first?.until }

    mutating func append(_ opaque: Int32, _ promise: EventLoopPromise<StoreAck>, now: NIODeadline) {
        owed[opaque] = Owed(promise: promise)
        sent.append((opaque, now))
        waiting.append((opaque, now + timeout))
    }

    /// An answer came. What was given up before has nobody left to tell.
    mutating func take(_ opaque: Int32) -> EventLoopPromise<StoreAck>? {
        let answered = owed.removeValue(forKey: opaque)
        skipAnswered()
        return answered?.promise
    }

    /// The next one whose time is over, if any: its caller is told, and waits no more. Call it until there is none.
    mutating func giveUp(now: NIODeadline) -> EventLoopPromise<StoreAck>? {
        guard let first = waiting.first, first.until <= now, let promise = owed[first.opaque]?.promise else {
            return nil
        }
        owed[first.opaque]?.promise = nil
        givenUp.append(first.opaque)
        skipAnswered()
        return promise
    }

    /// The broker said something: it lives, and what was given up is not held against it any more.
    mutating func heard() {
        guard !givenUp.isEmpty else { return }
        for opaque in givenUp { owed[opaque] = nil }
        givenUp = []
        skipAnswered()
    }

    /// The connection is gone: those whose callers still wait.
    mutating func drain() -> [EventLoopPromise<StoreAck>] {
        defer { self = OwedAnswers(timeout: timeout) }
        return owed.values.compactMap(\.promise)
    }

    private mutating func skipAnswered() {
        while let first = sent.first, owed[first.opaque] == nil { sent.removeFirst() }
        while let first = waiting.first, owed[first.opaque]?.promise == nil { waiting.removeFirst() }
    }
}
