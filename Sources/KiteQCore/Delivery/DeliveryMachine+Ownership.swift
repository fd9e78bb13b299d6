extension DeliveryMachine {
    /// The lease of a shard was renewed: stored messages may be worked on until then. Time 0: it is lost.
    package mutating func setLease(shard: Int, until: MonotonicTime, _ moment: inout DeliveryMoment) {
        shards[shard].leaseUntil = until
        unpark(shard, now: moment.now)
        pump(&moment)
    }

    /// A shard's server was asked for its time.
    ///
    /// - Parameter lead: how far its clock is ahead of `wall`, as all calls have it: milliseconds of a clock that never jumps.
    package mutating func setServerLead(shard: Int, _ lead: Timestamp) { shards[shard].serverLead = lead }

    /// What is stored in a shard is compared with its server's time, and written by it.
    func time(of shard: Int, _ wall: Timestamp) -> Timestamp { shards[shard].time(wall) }

    /// Whether stored messages of a shard must not be worked on now.
    func isStopped(_ shard: Int, now: MonotonicTime) -> Bool { shards[shard].isStopped(now: now) }

    /// What waited for a shard goes to the front of the queues.
    mutating func unpark(_ shard: Int, now: MonotonicTime) {
        guard !isStopped(shard, now: now) else { return }
        for g in groups.places where !groups[g].shards[shard].parked.isEmpty {
            groups[g].queue.putBack(groups[g].shards[shard].parked)
            groups[g].shards[shard].parked = []
            needsPump(g)
        }
    }

    /// What the store says of the other brokers and of what waits for this one.
    package mutating func apply(_ survey: ShardSurvey, shard: Int, _ moment: inout DeliveryMoment) {
        for name in survey.elsewhere { _ = groupIndex(name) }
        for g in groups.places where !groups[g].isFree {
            setElsewhere(g, shard, survey.elsewhere.contains(groups[g].name), &moment)
        }
        for name in survey.due {
            guard let g = groups.index(of: name), !groups[g].isAway else { continue }
            groups[g].shards[shard].isDue(since: moment.now)
            moment.actions.scansWanted = true
        }
        for (name, seq) in survey.waiting {
            // What lies before it a group that pages will meet. What lies behind has been let go of since, or came late.
            guard let g = groups.index(of: name), !groups[g].isAway, seq <= groups[g].shards[shard].seenUpTo
            else { continue }
            groups[g].shards[shard].isDue(since: moment.now)
            moment.actions.scansWanted = true
        }
        for (name, seq) in survey.abandoned {
            guard let g = groups.index(of: name), !groups[g].isAway else { continue }
            reread(g, shard, from: seq, &moment)
        }
        if shards[shard].orphans.isDue(now: moment.now) || shards[shard].strays.isDue(now: moment.now) {
            moment.actions.scansWanted = true
        }
        pump(&moment)
    }

    private mutating func setElsewhere(
        _ g: GroupIndex, _ shard: Int, _ isElsewhere: Bool, _ moment: inout DeliveryMoment
    ) {
        guard groups[g].shards[shard].isElsewhere != isElsewhere else { return }
        groups[g].shards[shard].isElsewhere = isElsewhere
        guard groups[g].isAway else { return }
        groups[g].shards[shard].start(isElsewhere ? .paging(frontier: 0, isScanning: false) : .away)
        if isElsewhere { moment.actions.scansWanted = true }
    }

    /// The groups that have clients here.
    package var presentGroups: Set<String> { Set(groups.known.filter { !$0.isAway }.map(\.name)) }

    // MARK: Giving away

    /// A page of this broker's fresh messages for a group that is at other brokers alone: each becomes tracked, so that they
    /// can take the group's row.
    mutating func handOver(
        _ scan: DeliveryScan, of g: GroupIndex, _ result: DeliveryScanResult, _ moment: inout DeliveryMoment
    ) {
        guard groups[g].shards[scan.shard].epoch == scan.epoch else { return }
        var cut: Int64?
        for row in result.rows {
            guard case .fresh(let route) = row.kind else { continue }
            if let ref = slots.ref(of: row.seq, scan.shard) {
                if !slots[ref].isTracked { track(ref, &moment) }
            } else if shards[scan.shard].unwritten.willLeaveRows(of: row.seq) {
                cut = row.seq
                break
            } else if !shards[scan.shard].unwritten.contains(row.seq) {
                shards[scan.shard].pagedIn.insert(row.seq)
                giveAway(row.seq, route, shard: scan.shard, &moment)
            }
        }
        endPage(g, scan.shard, result, cut: cut, &moment)
    }

    // MARK: Expiry

    /// Fresh messages whose time is over while they lay in the store: the groups that are to be kept for get their dead letter.
    /// Those in memory expire there. While too much of the shard is not written it does nothing: another sweep comes.
    /// - Returns: the letters.
    package mutating func expire(_ messages: [ExpiredMessage], shard: Int, _ moment: inout DeliveryMoment)
        -> [ExpiredDelivery]
    {
        guard !shards[shard].unwritten.areTooMany else { return [] }
        var letters: [ExpiredDelivery] = []
        for message in messages
        where !slots.contains(message.seq, shard) && !shards[shard].unwritten.contains(message.seq) {
            let dead = message.route.members.filter(\.persistent).map {
                Settlement.Dead(group: $0.group, attempts: 0, reason: .expired)
            }
            counters.deadLettered += dead.count
            counters.expired += dead.count
            shards[shard].pagedIn.insert(message.seq)
            let own = dead.map { ExpiredDelivery(id: message.id, topic: message.topic, group: $0.group) }
            count(expired: own)
            letters += own
            emit(Settlement(seq: message.seq, dead: dead), shard: shard, &moment)
        }
        return letters
    }

    /// Counts letters of groups and topics that were written past this machine, too: by the store, of what is in no memory.
    package mutating func count(expired letters: [ExpiredDelivery]) {
        for letter in letters {
            topics[topics.index(of: letter.topic)].deadLettered += 1
            if let g = groups.index(of: letter.group) { groups[g].counters.deadLettered += 1 }
        }
    }

    // MARK: Orphans

    /// Rows that the store takes for being in this memory: those that are not are let go. They come from a reply that was lost.
    mutating func releaseOrphans(_ shard: Int, _ result: DeliveryScanResult, _ moment: inout DeliveryMoment) {
        for row in result.rows {
            guard case .held(let group, let attempts) = row.kind, !shards[shard].unwritten.contains(row.seq),
                !isWorkedOn(row.seq, shard, by: groupIndex(group))
            else { continue }
            counters.orphans += 1
            release(row.seq, of: group, attempts: attempts, shard: shard, &moment)
        }
        shards[shard].orphans.endPage(result, now: moment.now, interval: limits.orphanInterval)
    }

    // MARK: Strays

    /// What the store has may be in no memory: its server is another one since, or commits came to light there that were believed
    /// to have failed.
    package mutating func lookForStrays(_ shard: Int, _ moment: inout DeliveryMoment) {
        shards[shard].strays.hurry(again: strayRetry)
        moment.actions.scansWanted = true
    }

    /// Publishes were acknowledged because the store has their messages already: what is nowhere in memory may be a stray, unless
    /// it is another broker's.
    package mutating func noteRepeats(of seqs: [Int64], shard: Int, _ moment: inout DeliveryMoment) {
        guard seqs.contains(where: { !slots.contains($0, shard) && !shards[shard].unwritten.contains($0) }) else {
            return
        }
        lookForStrays(shard, &moment)
    }

    private var strayRetry: MonotonicTime { limits.scanRetry * 5 }

    /// Fresh messages that the store takes for being in this memory: the groups that have read past one that is not read again.
    mutating func rereadStrays(_ shard: Int, _ result: DeliveryScanResult, _ moment: inout DeliveryMoment) {
        for row in result.rows {
            guard case .fresh(let route) = row.kind, !slots.contains(row.seq, shard),
                !shards[shard].unwritten.contains(row.seq)
            else { continue }
            let owed = route.members.compactMap { groups.index(of: $0.group) }
            let past = owed.filter { row.seq <= groups[$0].shards[shard].seenUpTo }
            guard !past.isEmpty, shards[shard].strays.misses(row.seq) else { continue }
            counters.strays += 1
            for g in past { reread(g, shard, from: row.seq, &moment) }
        }
        shards[shard].strays.endPage(
            next: result.next, now: moment.now, interval: limits.orphanInterval, again: strayRetry)
    }

    /// Lets go of a row that the store has as this broker's, and that is not in memory.
    mutating func release(_ seq: Int64, of group: String, attempts: Int, shard: Int, _ moment: inout DeliveryMoment) {
        let due =
            groups[groupIndex(group)].isAway
            ? dueWithoutClient(groupIndex(group), shard, moment.wall) : time(of: shard, moment.wall)
        let row = Settlement.Pending(group: group, attempts: attempts, dueAt: due)
        emit(Settlement(seq: seq, wasTracked: true, pending: [row]), shard: shard, &moment)
    }
}
