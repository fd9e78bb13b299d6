/// What happened to one message.
struct MessageHistory {
    /// One delivery, from its begin to the consumer's answer.
    struct Delivery {
        var group: Int
        var broker: Int
        var consumer: Int
        var start: UInt32
        /// When the connection that brought it was made.
        var connected: UInt32
        /// Nil: the consumer never came to an end with it.
        var end: UInt32?
        var isDeclined = false
        /// The place of its begin among the message's events.
        var place: Int
    }

    let events: [HistoryEvent]
    /// By their begin, which may have been noted late.
    private(set) var deliveries: [Delivery] = []

    init(_ events: [HistoryEvent]) {
        self.events = events
        for (place, event) in events.enumerated() {
            switch event.kind {
            case .delivered:
                deliveries.append(
                    Delivery(
                        group: Int(event.group), broker: Int(event.broker), consumer: Int(event.consumer),
                        start: event.time, connected: event.connected, place: place))
            case .accepted, .declined:
                let same = { (other: HistoryEvent) in other.group == event.group && other.delivery == event.delivery }
                let index = deliveries.lastIndex { $0.end == nil && same(events[$0.place]) }
                guard let index else { continue }
                deliveries[index].end = event.time
                deliveries[index].isDeclined = event.kind == .declined
            default: continue
            }
        }
        deliveries.sort { ($0.start, $0.place) < ($1.start, $1.place) }
    }

    func has(_ kind: HistoryEvent.Kind) -> Bool { events.contains { $0.kind == kind } }

    /// A broker said that it is stored.
    var isAcknowledged: Bool { has(.acknowledged) }

    /// It may be stored: an attempt ended without an answer, or did not end.
    var isPerhapsStored: Bool {
        let sent = events.count { $0.kind == .published }
        return sent > events.count { $0.kind == .refused || $0.kind == .notSent }
    }

    /// Every publish of it was refused, and yet a broker asked what is to become of it, or it was buried.
    func isRefusedAndStored(buried isBuried: Bool) -> Bool {
        guard has(.refused), !isAcknowledged, !isPerhapsStored, !isPerhapsReused else { return false }
        return isBuried || has(.answeredCommit) || has(.answeredRollBack) || has(.answeredUnknown)
    }

    /// The place at which its id was published once more; nil where it was not.
    var reusePlace: Int? { events.firstIndex { $0.kind == .reused } }

    /// A broker took its id once more.
    var isReuseAcknowledged: Bool { has(.reuseAcknowledged) }

    /// Its id may have been taken once more.
    var isPerhapsReused: Bool {
        events.count { $0.kind == .reused } > events.count { $0.kind == .reuseRefused }
    }

    /// The first commit, whoever gave it.
    var commitPlace: Int? { events.firstIndex { $0.kind == .committed || $0.kind == .answeredCommit } }

    func isAccepted(by group: Int) -> Bool {
        deliveries.contains { $0.group == group && $0.end != nil && !$0.isDeclined }
    }

    /// Whether it was sent again, before this place, after an attempt whose outcome the sender did not know.
    func isRepublished(before place: Int) -> Bool {
        guard let unknown = events.firstIndex(where: { $0.kind == .outcomeUnknown }) else { return false }
        return events[..<place].lastIndex { $0.kind == .published }.map { $0 > unknown } ?? false
    }
}
