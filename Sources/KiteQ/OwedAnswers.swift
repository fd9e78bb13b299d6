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
    private var givenUp: [Int32] = []

    /// When the oldest that is owed was sent.
    var owedSince: NIODeadline? { sent.first?.at }

    mutating func append(_ opaque: Int32, _ promise: EventLoopPromise<StoreAck>, now: NIODeadline) {
        owed[opaque] = Owed(promise: promise)
        sent.append((opaque, now))
    }

    /// An answer came. What was given up before has nobody left to tell.
    mutating func take(_ opaque: Int32) -> EventLoopPromise<StoreAck>? {
        let answered = owed.removeValue(forKey: opaque)
        skipAnswered()
        return answered?.promise
    }

    /// Its caller waits no more; nil where it was answered.
    mutating func giveUp(_ opaque: Int32) -> EventLoopPromise<StoreAck>? {
        guard let promise = owed[opaque]?.promise else { return nil }
        owed[opaque]?.promise = nil
        givenUp.append(opaque)
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
        defer { self = OwedAnswers() }
        return owed.values.compactMap(\.promise)
    }

    private mutating func skipAnswered() {
        while let first = sent.first, owed[first.opaque] == nil { sent.removeFirst() }
    }
}
