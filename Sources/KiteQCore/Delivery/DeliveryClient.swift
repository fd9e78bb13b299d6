/// A connection that consumes for its group.
struct DeliveryClient: Sendable {
    struct Entry: Sendable {
        var slot: DeliverySlotRef
        var bytes: Int
        var sentAt: MonotonicTime
        /// Which message it is, for an answer that comes when it has left memory: 0 for a fly message.
        var seq: Int64
        var shard: Int32
        /// Of a suspect, which is tried apart: how many may be in flight beside it, itself included.
        var company: Int32?
    }

    /// What is known of a client that is one pull.
    struct Pull: Sendable {
        /// Its receipts carry it: nobody guesses one.
        var key: UInt64
        /// It has got nothing yet, and may.
        var isWaiting = true
        /// The receipts that are counted for it: those promised while it waits, then those not answered or still of use.
        var counted = 0
    }

    var group: GroupIndex
    var window: InFlightWindow<Entry>
    /// How many of the window's places are used.
    var pace: WindowPace
    /// Bytes of what is in flight, and above how many nothing is sent.
    var bytes = 0
    var maxBytes: Int
    /// Of what is in flight: the companies of those that are tried apart (`Suspects`), ascending.
    var companies: [Int32] = []
    var warmUp: WarmUp
    /// The connection takes bytes: its send buffer is below the mark.
    var isWritable = true
    var isOpen = true
    /// It speaks as one does that takes no large packets: see ``DeliveryMachine/doubt(_:)``.
    var isDoubtful = false
    var generation: UInt32
    /// Smooth weighted round robin, used only while a client of the group warms up.
    var credit = 0
    /// It has published, and has taken nothing yet with success: perhaps it only publishes, and shares its group's name.
    var isUnproven: Bool { hasPublished && !hasConsumed }
    var hasPublished = false
    var hasConsumed = false
    /// Where others live, an unproven one is not tried before.
    var nextTrial = MonotonicTime.min
    /// Nil for a connection.
    var pull: Pull?

    /// Whether a suspect may join those that are tried here: nothing else is in flight, and none of them gets too large a company.
    func admits(company: Int32) -> Bool {
        window.inFlight == companies.count && companies.count < min(companies.first ?? .max, company)
    }

    private mutating func join(company: Int32) {
        companies.insert(company, at: companies.firstIndex { $0 > company } ?? companies.endIndex)
    }

    mutating func leave(company: Int32) {
        if let index = companies.firstIndex(of: company) { companies.remove(at: index) }
    }

    var hasRoom: Bool { isWritable && isOpen && window.inFlight < pace.limit && bytes < maxBytes }

    /// A message is sent; returns its opaque. There must be room.
    ///
    /// - Parameter trialInterval: for how long an unproven client is not tried again.
    mutating func deliver(_ entry: Entry, now: MonotonicTime, trialInterval: MonotonicTime) -> UInt32 {
        bytes += entry.bytes
        if isUnproven { nextTrial = now + trialInterval }
        if let company = entry.company { join(company: company) }
        return window.deliver(entry, now: now)
    }

    /// An answer came.
    mutating func acknowledge(_ opaque: UInt32, now: MonotonicTime) -> InFlightWindow<Entry>.Acknowledged {
        let answered = window.acknowledge(opaque)
        switch answered {
        case .inTime(let entry):
            bytes -= entry.bytes
            pace.answered(inTime: true, now: now)
        case .late: pace.answered(inTime: false, now: now)
        case .unknown: break
        }
        return answered
    }

    /// The next delivery whose time is up now, if any.
    mutating func expire(now: MonotonicTime) -> Entry? {
        guard let entry = window.expire(now: now) else { return nil }
        bytes -= entry.bytes
        return entry
    }
}
