extension DeliveryMachine {
    /// Sends what can be sent of the groups that changed.
    mutating func pump(now: MonotonicTime, wall: Timestamp, _ actions: inout DeliveryActions) {
        while let g = pumpList.popLast() {
            groups[g].needsPump = false
            if !isDraining { pump(g, now: now, wall: wall, &actions) }
        }
    }

    private mutating func pump(_ g: Int, now: MonotonicTime, wall: Timestamp, _ actions: inout DeliveryActions) {
        guard !groups[g].isPaused else { return }
        while let ref = groups[g].queue.first {
            let i = Int(ref.index)
            guard isCurrent(ref), let p = slots[i].position(of: g), slots[i].owed[p].progress == .queued else {
                groups[g].queue.removeFirst()
                continue
            }
            if !slots[i].isFly, isStopped(slots[i].shard, now: now) {
                groups[g].queue.removeFirst()
                groups[g].shards[slots[i].shard].parked.append(ref)
                continue
            }
            if slots[i].message.expiresAt <= time(of: slots[i].shard, wall) {
                groups[g].queue.removeFirst()
                expire(ref, p, wall: wall, now: now, &actions)
                continue
            }
            guard let c = pickClient(g, now: now) else { break }
            guard groups[g].bucket.take(upTo: 1, now: now) == 1 else { break }
            groups[g].queue.removeFirst()
            let opaque = clients[c].deliver(ref, bytes: slots[i].message.footprint, now: now)
            slots[i].owed[p].progress = .inFlight
            groups[g].inFlight += 1
            counters.delivered += 1
            groups[g].counters.delivered += 1
            topics[slots[i].topic].delivered += 1
            if slots[i].owed[p].attempts == 0, let start = slots[i].acceptedAt { deliveryTimes.record(now - start) }
            actions.deliveries.append(
                DeliveryActions.Delivery(
                    client: DeliveryClientID(index: Int32(c), generation: clients[c].generation), opaque: opaque,
                    attempt: UInt8(clamping: slots[i].owed[p].attempts + 1), message: slots[i].message))
        }
        if groups[g].pulls.waiting > 0 { endServedPulls(g) }
        if groups[g].queue.count <= limits.queueLength / 2, wantsBacklog(g) { actions.scansWanted = true }
    }

    private mutating func expire(
        _ ref: DeliverySlotRef, _ position: Int, wall: Timestamp, now: MonotonicTime, _ actions: inout DeliveryActions
    ) {
        if slots[Int(ref.index)].isFly {
            counters.flyDropped += 1
            removeOwed(position, from: Int(ref.index))
        } else {
            bury(ref, position, reason: .expired, error: nil, wall: wall, &actions)
        }
        releaseIfIdle(ref, wall: wall, now: now, &actions)
    }

    /// The next client in turn that can take a delivery; while some warm up, each gets a share by its weight.
    private mutating func pickClient(_ g: Int, now: MonotonicTime) -> Int? {
        let count = groups[g].clients.count
        guard count > 0 else { return nil }
        var totalWeight = 0
        var isWarm = true
        for index in groups[g].clients where clients[Int(index)].hasRoom {
            let weight = Int(clients[Int(index)].warmUp.weight(now: now))
            totalWeight += weight
            isWarm = isWarm && weight == WarmUp.full
        }
        if isWarm || totalWeight == 0 {
            for step in 0..<count {
                let turn = (groups[g].nextClient + step) % count
                let c = Int(groups[g].clients[turn])
                if clients[c].hasRoom {
                    groups[g].nextClient = turn + 1
                    return c
                }
            }
            return nil
        }
        var best: Int?
        for index in groups[g].clients where clients[Int(index)].hasRoom {
            let c = Int(index)
            clients[c].credit += Int(clients[c].warmUp.weight(now: now))
            if best.map({ clients[c].credit > clients[$0].credit }) ?? true { best = c }
        }
        if let best { clients[best].credit -= totalWeight }
        return best
    }

    private func wantsBacklog(_ g: Int) -> Bool {
        groups[g].shards.contains { shard in
            if case .paging(_, isScanning: false) = shard.backlog { true } else { false }
        }
    }
}
