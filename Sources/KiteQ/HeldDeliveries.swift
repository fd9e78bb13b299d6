/// What a consumer was given on one connection and has not answered: what of it may still be begun, and what the broker is to be
/// told is being worked on.
///
/// The broker waits for each answer for its delivery timeout. Where it can be told that a delivery is in good hands
/// (`mayExtend`), both what waits for a handler and what a handler works on is kept up, each for at most `handlerTimeout`;
/// else a delivery that waited for too long is not begun at all: the broker has given it up, and sends it again.
struct HeldDeliveries: Sendable {
    private struct Held {
        var bytes: Int
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
    private var bytes = 0
    private let limit: Int
    private let maxBytes: Int

    /// - Parameters:
    ///   - limit: of so many deliveries, or of `maxBytes` in all, the connection is not read any more. A broker of another make does
    ///     not know of our window, and sends more than it says.
    init(timeout: Duration, handlerTimeout: Duration, limit: Int = 1_000, maxBytes: Int = 32 << 20) {
        self.timeout = timeout
        self.handlerTimeout = handlerTimeout
        self.limit = max(1, limit)
        self.maxBytes = max(1, maxBytes)
    }

    var count: Int { held.count }
    var isFull: Bool { held.count >= limit || bytes >= maxBytes }
    /// Whether one that was full is to be read again only later: at half of it.
    var isStillFull: Bool { held.count > limit / 2 || bytes > maxBytes / 2 }

    /// What the broker said when it let us in, before any delivery came.
    mutating func agree(timeout: Duration, mayExtend: Bool) {
        self.timeout = timeout
        self.mayExtend = mayExtend
    }

    /// - Returns: false for one that is in hand under this number already: its answer will be that of both.
    mutating func receive(_ opaque: Int32, bytes size: Int, now: ContinuousClock.Instant) -> Bool {
        guard held[opaque] == nil else { return false }
        held[opaque] = Held(bytes: size, since: now, awaitedUntil: now + timeout)
        bytes += size
        return true
    }

    /// Whether a handler is worth beginning; where it is not, the delivery is forgotten.
    mutating func begin(_ opaque: Int32, now: ContinuousClock.Instant) -> Bool {
        guard let delivery = held[opaque], now < delivery.awaitedUntil else {
            end(opaque)
            return false
        }
        held[opaque]?.since = now
        held[opaque]?.isBegun = true
        return true
    }

    /// It was answered, or will not be.
    mutating func end(_ opaque: Int32) {
        if let delivery = held.removeValue(forKey: opaque) { bytes -= delivery.bytes }
    }

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
