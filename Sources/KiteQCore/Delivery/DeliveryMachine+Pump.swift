extension DeliveryMachine {
    /// Sends what can be sent of the groups that changed.
    mutating func pump(_ moment: inout DeliveryMoment) {
        while let g = pumpList.popLast() {
            groups[g].needsPump = false
            if !isDraining { pump(g, &moment) }
        }
    }

    private mutating func pump(_ g: GroupIndex, _ moment: inout DeliveryMoment) {
        guard !groups[g].isPaused else { return }
        sendApart(g, &moment)
        while let ref = groups[g].queue.next {
            guard let p = position(ofWaiting: ref, g, &moment) else {
                groups[g].queue.removeNext()
                continue
            }
            if company(of: ref, g) != nil {
                groups[g].queue.setNextApart()
                sendApart(g, &moment)
                continue
            }
            guard let c = pickClient(g, for: ref, p, company: nil, &moment), takeTurn(g, now: moment.now)
            else { break }
            groups[g].queue.removeNext()
            send(ref, p, to: c, company: nil, &moment)
        }
        if groups[g].pulls.waiting > 0 { endServedPulls(g) }
        if groups[g].queue.count <= limits.queueLength / 2, wantsBacklog(g) { moment.actions.scansWanted = true }
    }

    /// Sends suspects, to half of the clients at the most. Until it gets some, one client is kept free for them: it would else
    /// always have something in flight that could be lost with them.
    private mutating func sendApart(_ g: GroupIndex, _ moment: inout DeliveryMoment) {
        guard groups[g].queue.countApart > 0 else {
            groups[g].reserved = nil
            return
        }
        while let ref = groups[g].queue.nextApart {
            guard let p = position(ofWaiting: ref, g, &moment) else {
                groups[g].queue.removeNextApart()
                continue
            }
            guard let company = company(of: ref, g) else {
                // Cleared or forgotten meanwhile: one like the others.
                groups[g].queue.clearNextApart()
                continue
            }
            guard let c = pickClient(g, for: ref, p, company: company, &moment), takeTurn(g, now: moment.now)
            else { break }
            groups[g].queue.removeNextApart()
            send(ref, p, to: c, company: company, &moment)
        }
        groups[g].reserved = groups[g].queue.countApart == 0 || !groups[g].mayTryMore ? nil : leastBusy(g)
    }

    /// The group's place among those that a message at the front of one of its queues is owed to; nil where it does not wait there
    /// any more: it has gone on, has expired, or waits apart because its shard may not be worked on.
    private mutating func position(ofWaiting ref: DeliverySlotRef, _ g: GroupIndex, _ moment: inout DeliveryMoment)
        -> Int?
    {
        guard slots.isCurrent(ref), let p = slots[ref].position(of: g), slots[ref].owed[p].progress == .queued else {
            return nil
        }
        // In this order: without a lease of its shard nobody knows what time it is there.
        if !slots[ref].isFly, isStopped(slots[ref].shard, now: moment.now) {
            groups[g].shards[slots[ref].shard].parked.append(ref)
            return nil
        }
        if slots[ref].message.expiresAt <= time(of: slots[ref].shard, moment.wall) {
            expire(ref, p, &moment)
            return nil
        }
        return p
    }

    /// Of a suspect.
    private func company(of ref: DeliverySlotRef, _ g: GroupIndex) -> Int32? {
        groups[g].suspects.isEmpty
            ? nil : groups[g].suspects.company(of: slots[ref].seq, slots[ref].shard)
    }

    /// Whether the group's rate allows one more message.
    private mutating func takeTurn(_ g: GroupIndex, now: MonotonicTime) -> Bool {
        groups[g].bucket.take(upTo: 1, now: now) == 1
    }

    private mutating func send(
        _ ref: DeliverySlotRef, _ p: Int, to c: ClientIndex, company: Int32?, _ moment: inout DeliveryMoment
    ) {
        let g = clients[c].group
        let entry = DeliveryClient.Entry(
            slot: ref, bytes: slots[ref].message.footprint, sentAt: moment.now, seq: slots[ref].seq,
            shard: Int32(slots[ref].shard), company: company)
        slots.setProgress(.inFlight, p, of: ref)
        if clients[c].pull == nil { moment.outboundRoom -= entry.bytes }
        if company != nil, clients[c].companies.isEmpty { groups[g].clientsOnTrial += 1 }
        let opaque = clients[c].deliver(entry, now: moment.now, trialInterval: limits.trialInterval)
        counters.delivered += 1
        groups[g].sent()
        topics[slots[ref].topic].delivered += 1
        if slots[ref].owed[p].attempts == 0, let start = slots[ref].acceptedAt {
            deliveryTimes.record(moment.now - start)
        }
        moment.actions.deliveries.append(
            DeliveryActions.Delivery(
                client: clients.id(of: c), opaque: opaque,
                attempt: UInt8(clamping: slots[ref].owed[p].attempts + 1), message: slots[ref].message))
    }

    /// A delivery does not await its answer any more.
    mutating func endFlight(_ entry: DeliveryClient.Entry, of c: ClientIndex) {
        groups[clients[c].group].inFlight -= 1
        guard let company = entry.company else { return }
        clients[c].leave(company: company)
        if clients[c].companies.isEmpty { groups[clients[c].group].clientsOnTrial -= 1 }
    }

    private mutating func expire(_ ref: DeliverySlotRef, _ position: Int, _ moment: inout DeliveryMoment) {
        if slots[ref].isFly {
            counters.flyDropped += 1
            slots.removeOwed(position, of: ref)
        } else {
            bury(ref, position, reason: .expired, error: nil, &moment)
        }
        releaseIfIdle(ref, &moment)
    }

    // MARK: Whose turn it is

    /// Whether a client can take a delivery. One that has suspects in flight gets nothing else: whatever is lost with its
    /// consumer would be suspected, too.
    private func takes(_ c: ClientIndex, _ wanted: Wanted) -> Bool {
        guard clients[c].hasRoom, wanted.mayWrite || clients[c].pull != nil else { return false }
        if clients[c].isUnproven, !wanted.trial.allows(clients[c]) { return false }
        if let company = wanted.company {
            let mayBegin = !clients[c].companies.isEmpty || groups[clients[c].group].mayTryMore
            return mayBegin && clients[c].admits(company: company)
        }
        return clients[c].companies.isEmpty && groups[clients[c].group].reserved != c
    }

    /// What a message asks of the client that it is sent to.
    private struct Wanted {
        /// Of a suspect.
        let company: Int32?
        let trial: Trial
        /// Whether connections may be handed more bytes.
        let mayWrite: Bool
    }

    /// When a client of which nobody knows whether it consumes is sent a message: while others live, one now and then, and none that
    /// has its last attempt.
    private enum Trial {
        /// There is no other.
        case always
        case never
        case now(MonotonicTime)

        func allows(_ client: DeliveryClient) -> Bool {
            switch self {
            case .always: true
            case .never: false
            case .now(let now): client.window.inFlight == 0 && client.nextTrial <= now
            }
        }
    }

    /// The client that is first rid of what it has in flight, as far as one can tell: of those that take bytes, and of those that
    /// are known to consume where there are any.
    private func leastBusy(_ g: GroupIndex) -> ClientIndex? {
        let someAreProven = groups[g].unproven < groups[g].clients.count
        return groups[g].clients.lazy.filter { index in
            let client = clients[index]
            return client.isWritable && client.companies.isEmpty && !(someAreProven && client.isUnproven)
        }.min { clients[$0].window.inFlight < clients[$1].window.inFlight }
    }

    /// The next client in turn that can take a delivery; while some warm up, each gets a share by its weight.
    private mutating func pickClient(
        _ g: GroupIndex, for ref: DeliverySlotRef, _ position: Int, company: Int32?, _ moment: inout DeliveryMoment
    ) -> ClientIndex? {
        let count = groups[g].clients.count
        var trial = Trial.always
        if groups[g].unproven > 0, groups[g].unproven < count {
            let isLast = slots[ref].owed[position].attempts + 1 >= slots[ref].message.deliverLimit
            trial = isLast ? .never : .now(moment.now)
        }
        guard count > 0 else { return nil }
        let wanted = Wanted(company: company, trial: trial, mayWrite: moment.outboundRoom > 0)
        var totalWeight = 0
        var isWarm = groups[g].warmAt <= moment.now
        if !isWarm {
            isWarm = true
            for index in groups[g].clients where takes(index, wanted) {
                let weight = Int(clients[index].warmUp.weight(now: moment.now))
                totalWeight += weight
                isWarm = isWarm && weight == WarmUp.full
            }
        }
        if isWarm || totalWeight == 0 {
            for step in 0..<count {
                let place = (groups[g].nextClient + step) % count
                let c = groups[g].clients[place]
                if takes(c, wanted) {
                    groups[g].nextClient = place + 1
                    return c
                }
            }
            return nil
        }
        var best: ClientIndex?
        for c in groups[g].clients where takes(c, wanted) {
            clients[c].credit += Int(clients[c].warmUp.weight(now: moment.now))
            if best.map({ clients[c].credit > clients[$0].credit }) ?? true { best = c }
        }
        if let best { clients[best].credit -= totalWeight }
        return best
    }

    private func wantsBacklog(_ g: GroupIndex) -> Bool {
        groups[g].shards.contains { shard in
            if case .paging(_, isScanning: false) = shard.backlog { true } else { false }
        }
    }
}
