/// Whether a session's socket is read, and whether its client's deadlines run: by what keeps it from being read. Amounts that go up
/// and down give way at half of their bound, so that a socket is not turned on and off at each packet.
struct ReadingGate {
    struct Reasons: Equatable {
        fileprivate var bits: UInt8

        /// Too many bytes of its publishes wait for their store acks.
        static let publishes = Reasons(bits: 1)
        /// Too many bytes of answers wait for it to take them.
        static let answers = Reasons(bits: 2)
        /// The route of one of its publishes takes long to find.
        static let route = Reasons(bits: 4)
        /// There is no room for the packet that is on its way in.
        static let room = Reasons(bits: 8)
        /// It is not known yet whether it is let in.
        static let verdict = Reasons(bits: 16)

        /// While these keep the socket from being read its client's DELIVER_ACKs cannot arrive for no fault of its own.
        static let brokersDoing = Reasons(bits: 1 | 4 | 8)

        fileprivate func meets(_ other: Reasons) -> Bool { bits & other.bits != 0 }
    }

    /// What is different from what was last said; nil where it is as it was.
    struct Change: Equatable {
        var deadlinesRun: Bool?
        /// By ``ReadingGate/isPaused``, which does not know of the verdict on a greeting.
        var isPaused: Bool?
        var isRead: Bool?
    }

    private var reasons = Reasons(bits: 0)
    private var told = (deadlinesRun: true, isPaused: false, isRead: true)

    /// While nothing is read heartbeats cannot arrive, and no clock of the client's runs. The handshake's timer runs on while the
    /// verdict on a greeting is awaited.
    var isPaused: Bool { reasons.bits & ~Reasons.verdict.bits != 0 }

    func isHeld(by reason: Reasons) -> Bool { reasons.meets(reason) }

    mutating func set(_ reason: Reasons, _ holds: Bool) {
        if holds { reasons.bits |= reason.bits } else { reasons.bits &= ~reason.bits }
    }

    /// - Parameters:
    ///   - amount: of what waits.
    ///   - bound: above which the socket is not read until half of it is free.
    mutating func set(_ reason: Reasons, _ amount: Int, of bound: Int) {
        if amount > bound { set(reason, true) } else if amount <= bound / 2 { set(reason, false) }
    }

    /// What is to be done now, once.
    /// - Parameter hasDeadlines: whether there is a client with deliveries; one that comes later is told then.
    mutating func change(hasDeadlines: Bool) -> Change {
        var change = Change()
        let deadlinesRun = !reasons.meets(.brokersDoing)
        if hasDeadlines, told.deadlinesRun != deadlinesRun {
            (told.deadlinesRun, change.deadlinesRun) = (deadlinesRun, deadlinesRun)
        }
        if told.isPaused != isPaused { (told.isPaused, change.isPaused) = (isPaused, isPaused) }
        let isRead = reasons.bits == 0
        if told.isRead != isRead { (told.isRead, change.isRead) = (isRead, isRead) }
        return change
    }
}
