/// What a consumer was given on one connection and has not answered: what of it may still be begun, and what the broker is to be
/// told is being worked on.
///
/// The broker waits for each answer for its delivery timeout. Where it can be told that a delivery is in good hands
/// (`mayExtend`), both what waits for a handler and what a handler works on is kept up, each for at most `handlerTimeout`;
/// else a delivery that waited for too long is not begun at all: the broker has given it up, and sends it again.
struct HeldDeliveries: Sendable {
    private struct Held {
        /// When it came, or when its handler began.
        var since: ContinuousClock.Instant
        var isBegun = false
        /// Until then the broker waits for the answer, as far as is known here.
        var awaitedUntil: ContinuousClock.Instant
        var isOverdue = false
    }

    /// For the broker to be told.
    struct Extension: Sendable, Equatable {
        var opaques: [Int32] = []
        /// Those whose handlers have just run for `handlerTimeout`: the broker is told of them no more.
        var overdue = 0
    }

    /// As the broker said, or as is believed of one that does not say.
    private(set) var timeout: Duration
    private(set) var mayExtend = false
    let handlerTimeout: Duration
    private var held: [Int32: Held] = [:]

    init(timeout: Duration, handlerTimeout: Duration) {
        self.timeout = timeout
        self.handlerTimeout = handlerTimeout
    }

    var count: Int { held.count }

    /// What the broker said when it let us in, before any delivery came.
    mutating func agree(timeout: Duration, mayExtend: Bool) {
        self.timeout = timeout
        self.mayExtend = mayExtend
    }

    mutating func receive(_ opaque: Int32, now: ContinuousClock.Instant) {
        held[opaque] = Held(since: now, awaitedUntil: now + timeout)
    }

    /// Whether a handler is worth beginning; where it is not, the delivery is forgotten.
    mutating func begin(_ opaque: Int32, now: ContinuousClock.Instant) -> Bool {
        guard let delivery = held[opaque], now < delivery.awaitedUntil else {
            held[opaque] = nil
            return false
        }
        held[opaque] = Held(since: now, isBegun: true, awaitedUntil: delivery.awaitedUntil)
        return true
    }

    /// It was answered, or will not be.
    mutating func end(_ opaque: Int32) { held[opaque] = nil }

    /// Called each third of the timeout: those that the broker is to wait for, from now on for the whole timeout.
    mutating func extend(now: ContinuousClock.Instant) -> Extension {
        var result = Extension()
        guard mayExtend else { return result }
        for (opaque, delivery) in held {
            if now - delivery.since >= handlerTimeout {
                if delivery.isBegun && !delivery.isOverdue { result.overdue += 1 }
                held[opaque]?.isOverdue = true
            } else if now < delivery.awaitedUntil {
                held[opaque]?.awaitedUntil = now + timeout
                result.opaques.append(opaque)
            }
        }
        return result
    }
}
