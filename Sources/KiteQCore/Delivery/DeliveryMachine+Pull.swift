/// Deliveries to callers that have no connection: each pull is a client of its group that gets one batch, all at once, and
/// then awaits the answers. So nothing is delivered that nobody waits for, and no time runs before the messages are out.
extension DeliveryMachine {
    /// Why a pull is not taken.
    package enum PullRefusal: Error, Sendable, Hashable {
        /// As many wait already as may.
        case tooManyPulls
        /// As many messages are in callers' hands, or promised, as may be.
        case tooManyReceipts
    }

    /// What a caller answers with.
    package struct PullReceipt: Sendable, Hashable {
        package var client: DeliveryClientID
        package var key: UInt64
        package var opaque: UInt32

        package init(client: DeliveryClientID, key: UInt64, opaque: UInt32) {
            self.client = client
            self.key = key
            self.opaque = opaque
        }
    }

    package enum Settled: Sendable, Hashable {
        case settled
        /// Its time was up, or it was answered before, or no delivery had it.
        case tooLate
        /// It is of another group.
        case notYours
    }

    /// A caller waits for at most `max` messages of its group. It gets the first that there are, in the actions of this or of a
    /// later input, and all of them in one; nothing more after that. Each has `visibility` nanoseconds for its answer.
    ///
    /// - Parameter key: a random number.
    package mutating func pull(
        group name: String, max: Int, visibility: MonotonicTime, key: UInt64, _ moment: inout DeliveryMoment
    ) -> Result<DeliveryClientID, PullRefusal> {
        let g = groupIndex(name)
        guard groups[g].pulls.waiting < limits.pull.waitingOfGroup, waitingPulls < limits.pull.waiting else {
            return .failure(.tooManyPulls)
        }
        let room = min(limits.pull.receiptsOfGroup - groups[g].pulls.receipts, limits.pull.receipts - receipts)
        guard room > 0 else { return .failure(.tooManyReceipts) }
        let window = InFlightWindow<DeliveryClient.Entry>(
            limit: min(Swift.max(1, max), limits.pull.messages, room),
            timeout: min(Swift.max(visibility, limits.pull.visibility.lowerBound), limits.pull.visibility.upperBound),
            lateTime: limits.pull.lateTime)
        let c = addClient(g, window, WarmUp(seconds: 0, start: moment.now), &moment)
        clients[c].pull = DeliveryClient.Pull(key: key)
        groups[g].pulls.waiting += 1
        waitingPulls += 1
        countReceipts(c)
        stayPresent(g, now: moment.now)
        pump(&moment)
        return .success(clients.id(of: c))
    }

    /// The caller waits no more, or what it was sent did not reach it: that goes back at once, and was no attempt.
    package mutating func endPull(_ id: DeliveryClientID, _ moment: inout DeliveryMoment) {
        guard let c = clients.index(of: id), clients[c].pull != nil else { return }
        let g = clients[c].group
        for entry in close(c).reversed() {
            guard slots.isCurrent(entry.slot), let p = slots[entry.slot].position(of: g) else { continue }
            if groups[g].isPaused {
                leaveToStore(entry.slot, p, error: Self.pausedError, &moment)
            } else {
                slots.setProgress(.queued, p, of: entry.slot)
                groups[g].queue.putBack(entry.slot)
            }
        }
        stayPresent(g, now: moment.now)
        needsPump(g)
        pump(&moment)
    }

    /// Answers by receipt, all of them successes or all refusals; says of each what became of it.
    ///
    /// - Parameter reason: of a refusal, at most 255 characters are kept.
    package mutating func settle(
        _ receipts: [PullReceipt], group: String, isSuccess: Bool, reason: String? = nil, _ moment: inout DeliveryMoment
    ) -> [Settled] {
        let settled = receipts.map { receipt -> Settled in
            guard let c = clients.index(of: receipt.client), clients[c].pull?.key == receipt.key else {
                return .tooLate
            }
            let g = clients[c].group
            guard BindingName(groups[g].name) == BindingName(group) else { return .notYours }
            let ack = Acknowledgement(
                opaque: receipt.opaque, isSuccess: isSuccess, feedback: reason.map { String($0.prefix(255)) })
            let isTaken = answer(ack, of: c, &moment)
            closeIfAnswered(c)
            stayPresent(g, now: moment.now)
            needsPump(g)
            return isTaken ? .settled : .tooLate
        }
        pump(&moment)
        return settled
    }

    /// The broker stops: what callers have in their hands is a failed attempt each, and no group is here by pulls any more.
    package mutating func endPulls(_ moment: inout DeliveryMoment) {
        for g in groups.places where groups[g].pulls.presentUntil != nil {
            groups[g].pulls.presentUntil = nil
            if groups[g].isAway { leave(g, &moment) }
        }
        for c in clients.places where clients[c].isOpen && clients[c].pull != nil {
            disconnect(clients.id(of: c), &moment)
        }
    }

    // MARK: One pull

    /// Those that got something wait for nothing more.
    mutating func endServedPulls(_ g: GroupIndex) {
        for index in groups[g].clients where clients[index].window.inFlight > 0 {
            guard clients[index].pull != nil else { continue }
            stopSending(to: index)
            countReceipts(index)
        }
    }

    /// Called at each tick.
    mutating func lookAfterPull(_ c: ClientIndex, now: MonotonicTime) {
        clients[c].window.forgetLate(now: now)
        if clients[c].window.inFlight > 0 || clients[c].pull?.isWaiting == true {
            stayPresent(clients[c].group, now: now)
        }
        closeIfAnswered(c)
    }

    private mutating func closeIfAnswered(_ c: ClientIndex) {
        guard let pull = clients[c].pull, !pull.isWaiting, clients[c].window.inFlight + clients[c].window.late == 0
        else { return countReceipts(c) }
        _ = close(c)
    }

    /// Keeps the accounts of a pull's receipts.
    mutating func countReceipts(_ c: ClientIndex) {
        guard let pull = clients[c].pull else { return }
        let window = clients[c].window
        let count = pull.isWaiting ? window.limit : window.inFlight + window.late
        groups[clients[c].group].pulls.receipts += count - pull.counted
        receipts += count - pull.counted
        clients[c].pull?.counted = count
    }

    // MARK: Presence

    private mutating func stayPresent(_ g: GroupIndex, now: MonotonicTime) {
        groups[g].pulls.presentUntil = now + limits.pull.lingering
    }

    mutating func endPresenceByPulls(_ moment: inout DeliveryMoment) {
        for g in groups.places {
            guard let until = groups[g].pulls.presentUntil, until <= moment.now else { continue }
            groups[g].pulls.presentUntil = nil
            if groups[g].isAway { leave(g, &moment) }
        }
    }
}
