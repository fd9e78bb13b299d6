/// Holds a history against what must be true of it (README.md#guarantees).
package struct HistoryChecker {
    private let load: CheckedLoad
    private let faults: [FaultRecord]
    private let times: FaultTimes
    private let losses: ConnectionLosses
    private let index: HistoryIndex
    private let dead: [UInt32: [DeadLetter]]
    private let restarted: UInt32?
    private var verdict: Verdict

    /// - Parameters:
    ///   - window: how long before a fault a delivery may have been acknowledged and yet come again, in 0.1 ms: until what
    ///     some groups have finished is written, and the removals are.
    ///   - restarted: when the brokers were restarted because something was left in the tables that nobody delivered; nil: they were
    ///     not.
    package init(
        load: CheckedLoad, events: [HistoryEvent], faults: [FaultRecord], losses: [ConnectionLoss] = [],
        deadLetters: [DeadLetter], window: UInt32, restarted: UInt32? = nil
    ) {
        self.load = load
        self.losses = ConnectionLosses(losses)
        self.faults = faults
        self.restarted = restarted
        times = FaultTimes(faults, window: window, brokers: load.brokers)
        index = HistoryIndex(events)
        dead = Dictionary(grouping: deadLetters, by: \.message)
        verdict = Verdict(faults: faults.count)
    }

    package func check() -> Verdict {
        var copy = self
        for message in 0..<UInt32(index.messageCount) { copy.check(message) }
        return copy.verdict
    }

    private mutating func check(_ message: UInt32) {
        let plan = load.plan(of: message)
        let history = MessageHistory(index.events(of: message))
        let buried = dead[message] ?? []
        verdict.messages += 1
        verdict.deliveries += history.deliveries.count
        verdict.accepted += history.deliveries.count { $0.end != nil && !$0.isDeclined }
        verdict.buried += buried.count { $0.group != nil }
        verdict.parked += buried.count { $0.group == nil }
        if !history.isAcknowledged && history.isPerhapsStored { verdict.unknown += 1 }
        if history.isReuseAcknowledged { verdict.reused += 1 }

        checkPermission(message, plan, history, buried)
        checkCompleteness(message, plan, history, buried)
        if !plan.isPoison { measureWait(message, plan, history) }
        checkDuplicates(message, plan, history)
    }

    private mutating func find(_ kind: Finding.Kind, _ message: UInt32, group: Int? = nil, _ reason: String) {
        verdict.findings.append(Finding(kind, message: message, group: group, reason))
        let known = index.events(of: message).first { $0.kind == .acknowledged || $0.kind == .refused }
        guard let fault = known.flatMap({ times.fault(before: $0.time) }) else { return }
        verdict.faults[fault].findings[kind, default: 0] += 1
    }

    // MARK: What must not be

    private mutating func checkPermission(
        _ message: UInt32, _ plan: MessagePlan, _ history: MessageHistory, _ buried: [DeadLetter]
    ) {
        let groups = Topology.kinds[plan.kind].groups
        if let first = history.deliveries.min(by: { $0.place < $1.place }) {
            // Published once more it is a message that nobody needs to decide.
            let isAnew = history.isPerhapsReused && history.reusePlace.map { $0 < first.place } ?? false
            if isAnew {
                // Allowed, whatever became of its first life.
            } else if !history.isAcknowledged && !history.isPerhapsStored {
                find(
                    history.has(.refused) ? .falselyRefused : .wrong, message, group: first.group,
                    "delivered, though every publish of it was refused")
            } else if plan.isHalf, history.commitPlace.map({ first.place < $0 }) ?? true {
                find(
                    .wrong, message, group: first.group,
                    history.commitPlace == nil ? "delivered, though nobody committed it" : "delivered before its commit"
                )
            }
        }
        if history.deliveries.isEmpty, history.isRefusedAndStored(buried: !buried.isEmpty) {
            find(.falselyRefused, message, "in the store, though every publish of it was refused")
        }
        for delivery in history.deliveries where !groups.contains(delivery.group) {
            find(.wrong, message, group: delivery.group, "delivered to a group that is not bound to it")
        }
        if plan.way == .neverDecided, history.isReuseAcknowledged {
            find(
                .wrong, message, "taken as another message while its id was that of a half message that nobody decided")
        }
        for letter in buried {
            if letter.group == nil {
                if plan.way != .neverDecided { find(.wrong, message, "parked as undecided") }
            } else if !plan.isPoison {
                find(
                    .wrong, message, group: letter.group, "among the dead letters, though its attempts are not used up")
            } else if plan.isHalf && history.commitPlace == nil {
                find(.wrong, message, group: letter.group, "among a group's dead letters, though nobody committed it")
            }
        }
    }

    // MARK: What must be

    private mutating func checkCompleteness(
        _ message: UInt32, _ plan: MessagePlan, _ history: MessageHistory, _ buried: [DeadLetter]
    ) {
        if plan.way == .neverDecided {
            if history.isAcknowledged, !buried.contains(where: { $0.group == nil }), !wasPutBack(message, history) {
                find(.lost, message, "stored and never decided, but not among the dead letters")
            }
            return
        }
        let isWanted =
            history.isAcknowledged && (!plan.isHalf || plan.isToBeCommitted) || history.isReuseAcknowledged
        // Stored or not is unknown; but if one group has it, then it is stored, and all have to have it.
        let isSeen = !history.deliveries.isEmpty || buried.contains { $0.group != nil }
        guard isWanted || (isSeen && (!plan.isHalf || history.isPerhapsReused)) else { return }
        verdict.expected += 1
        for group in Topology.kinds[plan.kind].groups
        where !history.isAccepted(by: group) && !buried.contains(where: { $0.group == group }) {
            if wasPutBack(message, history) { continue }
            let isSent = history.deliveries.contains { $0.group == group }
            find(.lost, message, group: group, isSent ? "refused at last, and not delivered again" : "never delivered")
        }
        checkStranded(message, plan, history)
    }

    /// Each group's first delivery, of what its broker knew before.
    private mutating func checkStranded(_ message: UInt32, _ plan: MessagePlan, _ history: MessageHistory) {
        guard let restarted else { return }
        for group in Topology.kinds[plan.kind].groups {
            guard let first = history.deliveries.first(where: { $0.group == group }), first.start >= restarted else {
                continue
            }
            find(.stranded, message, group: group, "delivered to nobody until the brokers were restarted")
        }
    }

    private mutating func measureWait(_ message: UInt32, _ plan: MessagePlan, _ history: MessageHistory) {
        let begin: HistoryEvent? =
            plan.isHalf
            ? history.commitPlace.map { history.events[$0] } : history.events.first { $0.kind == .acknowledged }
        guard let begin else { return }
        for group in Topology.kinds[plan.kind].groups {
            let end = history.deliveries.first { $0.group == group && $0.end != nil && !$0.isDeclined }?.end
            guard let end, end > begin.time else { continue }
            let seconds = Double(end - begin.time) / 10_000
            if seconds > verdict.longestWait?.seconds ?? 0 { verdict.longestWait = (message, seconds) }
        }
    }

    /// Whether its shard was put back to a state that may be older than the message.
    private mutating func wasPutBack(_ message: UInt32, _ history: MessageHistory) -> Bool {
        let isAcknowledged = history.isAcknowledged
        let isPutBack = history.events.contains {
            (isAcknowledged ? $0.kind == .acknowledged : $0.kind == .delivered)
                && times.mayHaveLost(at: $0.time, of: load.shard(of: message))
        }
        if isPutBack { verdict.putBack.insert(message) }
        return isPutBack
    }

    // MARK: Duplicates

    private mutating func checkDuplicates(_ message: UInt32, _ plan: MessagePlan, _ history: MessageHistory) {
        let deliveries = history.deliveries
        let shard = load.shard(of: message)
        for delivery in deliveries {
            for fault in times.mayRepeat(delivery, of: shard) { verdict.faults[fault].bound += 1 }
        }
        guard deliveries.count > 1 else { return }
        for (number, delivery) in deliveries.enumerated() {
            // Earlier ones that the consumer has, as far as it knows; after a refusal another one is what it wants.
            let earlier = deliveries[..<number].filter {
                $0.group == delivery.group && !($0.isDeclined && $0.end.map { $0 <= delivery.start } ?? false)
            }
            guard !earlier.isEmpty else { continue }
            explain(message, shard, plan, history, delivery, earlier)
        }
    }

    private mutating func explain(
        _ message: UInt32, _ shard: Int, _ plan: MessagePlan, _ history: MessageHistory,
        _ delivery: MessageHistory.Delivery, _ earlier: [MessageHistory.Delivery]
    ) {
        var reason: (index: Int, start: UInt32)?
        var (isLate, isTakenAlong) = (false, false)
        for one in earlier {
            if losses.took(one, before: delivery.start) {
                isTakenAlong = true
                continue
            }
            if load.gaveUp(one, before: delivery.start, brokerStopped: times.stopped(during: one)) {
                isLate = true
                continue
            }
            guard let fault = times.reason(for: one, of: shard, repeatedAt: delivery.start) ?? latePacket(delivery)
            else {
                // What became of half messages is remembered: sending one again makes no second message.
                let isAnew = history.isPerhapsReused && history.reusePlace.map { $0 < delivery.place } ?? false
                if isAnew || !plan.isHalf && history.isRepublished(before: delivery.place) {
                    verdict.republished += 1
                } else {
                    find(.unexplained, message, group: delivery.group, "delivered again without a fault")
                }
                return
            }
            reason = fault
            if let end = one.end, end < fault.start {
                let age = Double(fault.start - end) / 10_000
                verdict.faults[fault.index].oldestAnswer = max(verdict.faults[fault.index].oldestAnswer, age)
            }
        }
        if let reason {
            verdict.faults[reason.index].duplicates += 1
        } else if isTakenAlong {
            verdict.takenAlong += 1
        } else if isLate {
            verdict.late += 1
        }
    }

    private mutating func latePacket(_ delivery: MessageHistory.Delivery) -> (index: Int, start: UInt32)? {
        guard let pause = times.pause(of: delivery) else { return nil }
        let late = Double(delivery.start) - Double(pause.healed)
        verdict.lateness = max(verdict.lateness, late / 10_000)
        return (pause.index, pause.start)
    }
}
