extension DeliveryMachine {
    /// Time has passed: attempts that were not answered fail, what is half finished for long is written, rates allow more.
    package mutating func tick(_ moment: inout DeliveryMoment) {
        forgiveStandstill(moment.now)
        for c in clients.places where clients[c].isOpen {
            if clients[c].window.inFlight > 0 { expireDeliveries(of: c, &moment) }
            if clients[c].pull != nil { lookAfterPull(c, now: moment.now) }
        }
        endPresenceByPulls(&moment)
        while let first = partials.first,
            moment.now - first.since >= limits.partialAfter || !slots.isCurrent(first.slot)
        {
            partials.removeFirst()
            guard slots.isCurrent(first.slot), !slots[first.slot].isTracked else { continue }
            track(first.slot, &moment)
            releaseIfIdle(first.slot, &moment)
        }
        for g in groups.places {
            groups[g].suspects.forget(now: moment.now)
            if !groups[g].queue.isEmpty { needsPump(g) }
            if !moment.actions.scansWanted {
                moment.actions.scansWanted = groups[g].shards.indices.contains {
                    wantedScan(g, shard: $0, now: moment.now) != nil
                }
            }
        }
        pump(&moment)
        forgetGroups()
    }

    private mutating func expireDeliveries(of c: ClientIndex, _ moment: inout DeliveryMoment) {
        let g = clients[c].group
        var isFirst = true
        while let entry = clients[c].expire(now: moment.now) {
            if isFirst, clients[c].pull == nil { clients[c].pace.timedOut(now: moment.now) }
            isFirst = false
            endFlight(entry, of: c)
            // Its consumer lives.
            groups[g].suspects.clear(entry.seq, Int(entry.shard))
            guard slots.isCurrent(entry.slot), let p = slots[entry.slot].position(of: g) else { continue }
            counters.timedOut += 1
            groups[g].counters.timedOut += 1
            topics[slots[entry.slot].topic].timedOut += 1
            let answer = clients[c].pull == nil ? "no DELIVER_ACK in time" : "not acknowledged within its visibility"
            fail(entry.slot, p, error: explained(answer, entry, by: c, wall: moment.wall), &moment)
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
    package mutating func drain(_ moment: inout DeliveryMoment) {
        isDraining = true
        for ref in slots.refs where slots[ref].isPartial && !slots[ref].isTracked && !slots[ref].isFly {
            track(ref, &moment)
        }
    }
}
