extension DeliveryMachine {
    /// A connection of a group is ready to consume.
    ///
    /// - Parameter window: the most deliveries that it wants in flight; nil: as many as `DeliveryLimits.window` allows.
    package mutating func connect(
        group name: String, warmUpSeconds: Int, window: Int? = nil, _ moment: inout DeliveryMoment
    ) -> DeliveryClientID {
        let limit = min(max(1, window ?? limits.window), limits.window)
        let window = InFlightWindow<DeliveryClient.Entry>(
            limit: limit, timeout: topics.answerTime, lateLimit: max(64, limit * 2), lateTime: limits.lateTime)
        let c = addClient(groupIndex(name), window, WarmUp(seconds: warmUpSeconds, start: moment.now), &moment)
        pump(&moment)
        return clients.id(of: c)
    }

    /// One more that the group's messages may be sent to; the group is here from now on.
    mutating func addClient(
        _ g: GroupIndex, _ window: InFlightWindow<DeliveryClient.Entry>, _ warmUp: WarmUp,
        _ moment: inout DeliveryMoment
    ) -> ClientIndex {
        let c = clients.insert(
            DeliveryClient(
                group: g, window: window, pace: WindowPace(most: window.limit, span: window.timeout, now: moment.now),
                maxBytes: limits.clientBytes, warmUp: warmUp, generation: 0))
        if groups[g].isAway { readFromTheStart(g, &moment) }
        groups[g].clients.append(c)
        groups[g].warmAt = max(groups[g].warmAt, warmUp.warmAt)
        needsPump(g)
        return c
    }

    /// All that waits for a group is in the store: its backlog, and rows whose time has come.
    mutating func readFromTheStart(_ g: GroupIndex, _ moment: inout DeliveryMoment) {
        for shard in groups[g].shards.indices {
            groups[g].shards[shard].start(.paging(frontier: 0, isScanning: false))
            groups[g].shards[shard].isDue = true
        }
        moment.actions.scansWanted = true
    }

    /// A connection is gone. What it had in flight alone is a failed attempt; of several nobody knows which of them ended their
    /// consumer, if any. All are tried again apart (`Suspects`).
    package mutating func disconnect(_ id: DeliveryClientID, _ moment: inout DeliveryMoment) {
        guard let c = clients.index(of: id) else { return }
        let g = clients[c].group
        let lost = close(c)
        if groups[g].isAway { leave(g, &moment) }
        lose(lost, of: c, &moment)
        pump(&moment)
    }

    private mutating func lose(_ lost: [DeliveryClient.Entry], of c: ClientIndex, _ moment: inout DeliveryMoment) {
        let g = clients[c].group
        guard let first = lost.first else { return }
        // All connections of a consumer that dies go at once: the last of them was no more alone than the first.
        let wasAlone =
            lost.count == 1 && first.sentAt >= groups[g].lastLoss && (groups[g].inFlight == 0 || first.company != nil)
        groups[g].lastLoss = moment.now
        groups[g].suspects.insert(lost.lazy.filter { $0.seq != 0 }.map { ($0.seq, $0.shard) }, now: moment.now)
        for entry in lost.reversed() {
            guard slots.isCurrent(entry.slot), let p = slots[entry.slot].position(of: g) else { continue }
            counters.lostWithConnection += 1
            groups[g].counters.lostWithConnection += 1
            let error = explained("the connection was lost", entry, by: c, wall: moment.wall)
            if wasAlone || entry.seq == 0 {
                fail(entry.slot, p, error: error, isLast: wasAlone, &moment)
            } else {
                tryAgain(entry.slot, p, error: error, &moment)
            }
        }
    }

    /// Puts back what was in flight: that was no attempt.
    private mutating func tryAgain(_ ref: DeliverySlotRef, _ p: Int, error: String, _ moment: inout DeliveryMoment) {
        let g = slots[ref].owed[p].group
        if groups[g].isAway && !slots[ref].owed[p].isPersistent && !groups[g].shards[slots[ref].shard].isElsewhere {
            // Its last client went with it: it counts as delivered.
            succeed(ref, p, &moment)
        } else if groups[g].isAway || groups[g].isPaused {
            leaveToStore(ref, p, error: error, &moment)
        } else {
            slots.setProgress(.queued, p, of: ref)
            groups[g].queue.putBack(ref)
            needsPump(g)
        }
    }

    /// Ends a client; returns what it had in flight, in order of delivery.
    mutating func close(_ c: ClientIndex) -> [DeliveryClient.Entry] {
        stopSending(to: c)
        let unanswered = clients[c].window.drain()
        for entry in unanswered { endFlight(entry, of: c) }
        countReceipts(c)
        clients.close(c)
        return unanswered
    }

    /// Nothing more is sent to a client of its group; the turns of the others stay.
    mutating func stopSending(to c: ClientIndex) {
        let g = clients[c].group
        guard let position = groups[g].clients.firstIndex(of: c) else { return }
        if clients[c].isUnproven { groups[g].unproven -= 1 }
        groups[g].clients.remove(at: position)
        if position < groups[g].nextClient { groups[g].nextClient -= 1 }
        guard clients[c].pull?.isWaiting == true else { return }
        clients[c].pull?.isWaiting = false
        groups[g].pulls.waiting -= 1
        waitingPulls -= 1
    }

    /// Whether a connection's send buffer takes more.
    package mutating func setWritable(_ id: DeliveryClientID, _ isWritable: Bool, _ moment: inout DeliveryMoment) {
        guard let c = clients.index(of: id) else { return }
        clients[c].isWritable = isWritable
        guard isWritable else { return }
        needsPump(clients[c].group)
        pump(&moment)
    }

    /// Whether a connection is read: while it is not, its DELIVER_ACKs cannot arrive, and no deadline of it runs.
    package mutating func setReading(_ id: DeliveryClientID, _ isReading: Bool, now: MonotonicTime) {
        guard let c = clients.index(of: id) else { return }
        if isReading {
            clients[c].window.resume(now: now)
        } else {
            clients[c].window.pause(now: now)
        }
    }

    /// A connection has published a message: unless it is seen to consume, others of its group are preferred.
    package mutating func markPublisher(_ id: DeliveryClientID) {
        guard let c = clients.index(of: id), !clients[c].hasPublished else { return }
        clients[c].hasPublished = true
        if clients[c].isUnproven { groups[clients[c].group].unproven += 1 }
    }

    /// A client took a message with success.
    mutating func markConsumer(_ c: ClientIndex) {
        guard !clients[c].hasConsumed else { return }
        if clients[c].isUnproven { groups[clients[c].group].unproven -= 1 }
        clients[c].hasConsumed = true
    }

    /// Whether any client of the group is here.
    package func isPresent(_ group: String) -> Bool {
        guard let g = groups.index(of: group) else { return false }
        return !groups[g].isAway
    }

    /// The last client of a group went: what waits for it is left to the store.
    mutating func leave(_ g: GroupIndex, _ moment: inout DeliveryMoment) {
        moment.actions.left.append(groups[g].name)
        let waiting = takeOutWaiting(g)
        for shard in groups[g].shards.indices {
            let isElsewhere = groups[g].shards[shard].isElsewhere
            groups[g].shards[shard].start(isElsewhere ? .paging(frontier: 0, isScanning: false) : .away)
            if isElsewhere { moment.actions.scansWanted = true }
        }
        for ref in waiting {
            guard let p = waitingPosition(ref, g) else { continue }
            if !slots[ref].isFly && !slots[ref].owed[p].isPersistent && !groups[g].shards[slots[ref].shard].isElsewhere
            {
                succeed(ref, p, &moment)
            } else {
                leaveToStore(ref, p, error: "the group went away", &moment)
            }
        }
    }

    /// Empties the group's queues; returns what was in them.
    mutating func takeOutWaiting(_ g: GroupIndex) -> [DeliverySlotRef] {
        var waiting = groups[g].queue.takeAll()
        groups[g].reserved = nil
        for shard in groups[g].shards.indices {
            waiting += groups[g].shards[shard].held + groups[g].shards[shard].parked
            groups[g].shards[shard].held = []
            groups[g].shards[shard].parked = []
        }
        return waiting
    }

    /// The group's place among those that a message in its queues is owed to; nil where it has gone on meanwhile.
    func waitingPosition(_ ref: DeliverySlotRef, _ g: GroupIndex) -> Int? {
        guard slots.isCurrent(ref), let p = slots[ref].position(of: g) else { return nil }
        switch slots[ref].owed[p].progress {
        case .queued, .held: return p
        case .inFlight, .left: return nil
        }
    }

    /// What waited in memory waits in the store; of a fly message that is the end.
    ///
    /// - Parameter error: what is written of it where attempts were made.
    mutating func leaveToStore(_ ref: DeliverySlotRef, _ position: Int, error: String, _ moment: inout DeliveryMoment) {
        if slots[ref].isFly {
            counters.flyDropped += 1
            slots.removeOwed(position, of: ref)
            releaseIfIdle(ref, &moment)
        } else if slots[ref].owed[position].attempts > 0 || slots[ref].isTracked {
            postpone(ref, position, error: error, &moment)
        } else {
            slots.setProgress(.left, position, of: ref)
            releaseIfIdle(ref, &moment)
        }
    }
}
