extension DeliveryMachine {
    /// Time has passed: attempts that were not answered fail, what is half finished for long is written, rates allow more.
    package mutating func tick(now: MonotonicTime, wall: Timestamp, _ actions: inout DeliveryActions) {
        forgiveStandstill(now)
        for c in clients.places where clients[c].isOpen {
            if clients[c].window.inFlight > 0 { expireDeliveries(of: c, now: now, wall: wall, &actions) }
            if clients[c].pull != nil { lookAfterPull(c, now: now) }
        }
        endPresenceByPulls(now: now, wall: wall, &actions)
        while let first = partials.first, now - first.since >= limits.partialAfter || !slots.isCurrent(first.slot) {
            partials.removeFirst()
            guard slots.isCurrent(first.slot), !slots[first.slot].isTracked else { continue }
            track(first.slot, wall: wall, &actions)
            releaseIfIdle(first.slot, wall: wall, now: now, &actions)
        }
        for g in groups.places {
            groups[g].suspects.forget(now: now)
            if !groups[g].queue.isEmpty { needsPump(g) }
            if !actions.scansWanted {
                actions.scansWanted = groups[g].shards.indices.contains {
                    wantedScan(g, shard: $0, now: now) != nil
                }
            }
        }
        pump(now: now, wall: wall, &actions)
        forgetGroups()
    }

    private mutating func expireDeliveries(
        of c: ClientIndex, now: MonotonicTime, wall: Timestamp, _ actions: inout DeliveryActions
    ) {
        let g = clients[c].group
        var isFirst = true
        while let entry = clients[c].expire(now: now) {
            if isFirst, clients[c].pull == nil { clients[c].pace.timedOut(now: now) }
            isFirst = false
            endFlight(entry, of: c)
            // Its consumer lives.
            groups[g].suspects.clear(entry.seq, Int(entry.shard))
            guard slots.isCurrent(entry.slot), let p = slots[entry.slot].position(of: g) else { continue }
            counters.timedOut += 1
            groups[g].counters.timedOut += 1
            topics[slots[entry.slot].topic].timedOut += 1
            let answer = clients[c].pull == nil ? "no DELIVER_ACK in time" : "not acknowledged within its visibility"
            fail(entry.slot, p, error: explained(answer, entry, by: c, wall: wall), wall: wall, now: now, &actions)
            needsPump(g)
        }
    }

    /// The process stood still: answers that came meanwhile are not read yet, so no attempt fails for that time.
    private mutating func forgiveStandstill(_ now: MonotonicTime) {
        defer { lastTick = now }
        guard now - lastTick > limits.standstill else { return }
        for c in clients.places where clients[c].isOpen && !clients[c].window.isPaused {
            clients[c].window.pause(now: lastTick)
            clients[c].window.resume(now: now)
        }
    }

    /// The broker stops: nothing more is sent, and what some groups have finished is written for the next owner.
    package mutating func drain(now: MonotonicTime, wall: Timestamp, _ actions: inout DeliveryActions) {
        isDraining = true
        for ref in slots.refs where slots[ref].isPartial && !slots[ref].isTracked && !slots[ref].isFly {
            track(ref, wall: wall, &actions)
        }
    }
}
