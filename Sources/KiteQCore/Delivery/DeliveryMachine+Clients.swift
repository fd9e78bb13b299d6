extension DeliveryMachine {
    /// A connection of a group is ready to consume.
    package mutating func connect(
        group name: String, warmUpSeconds: Int, now: MonotonicTime, wall: Timestamp, _ actions: inout DeliveryActions
    ) -> DeliveryClientID {
        let g = groupIndex(name)
        let window = InFlightWindow<DeliveryClient.Entry>(limit: limits.window, timeout: limits.deliveryTimeout)
        let index: Int32
        if let free = freeClients.popLast() {
            index = free
            let generation = clients[Int(index)].generation &+ 1
            clients[Int(index)] = DeliveryClient(
                group: g, window: window, maxBytes: limits.windowBytes,
                warmUp: WarmUp(seconds: warmUpSeconds, start: now), generation: generation)
        } else {
            index = Int32(clients.count)
            clients.append(
                DeliveryClient(
                    group: g, window: window, maxBytes: limits.windowBytes,
                    warmUp: WarmUp(seconds: warmUpSeconds, start: now), generation: 0))
        }
        if groups[g].isAway {
            for shard in groups[g].shards.indices {
                groups[g].shards[shard].start(.paging(frontier: 0, isScanning: false))
                groups[g].shards[shard].isDue = true
            }
            actions.scansWanted = true
        }
        groups[g].clients.append(index)
        needsPump(g)
        pump(now: now, wall: wall, &actions)
        return DeliveryClientID(index: index, generation: clients[Int(index)].generation)
    }

    /// A connection is gone: what it had in flight is a failed attempt each.
    package mutating func disconnect(
        _ id: DeliveryClientID, now: MonotonicTime, wall: Timestamp, _ actions: inout DeliveryActions
    ) {
        guard isOpen(id) else { return }
        let c = Int(id.index)
        let g = clients[c].group
        clients[c].isOpen = false
        groups[g].clients.removeAll { $0 == id.index }
        groups[g].nextClient = 0
        let lost = clients[c].window.drain()
        groups[g].inFlight -= lost.count
        if groups[g].isAway { leave(g, now: now, wall: wall, &actions) }
        for entry in lost {
            guard isCurrent(entry.slot), let p = slots[Int(entry.slot.index)].position(of: g) else { continue }
            counters.lostWithConnection += 1
            fail(entry.slot, p, error: "the connection was lost", wall: wall, now: now, &actions)
        }
        clients[c].generation &+= 1
        freeClients.append(id.index)
        pump(now: now, wall: wall, &actions)
    }

    /// Whether a connection's send buffer takes more.
    package mutating func setWritable(
        _ id: DeliveryClientID, _ isWritable: Bool, now: MonotonicTime, wall: Timestamp,
        _ actions: inout DeliveryActions
    ) {
        guard isOpen(id) else { return }
        clients[Int(id.index)].isWritable = isWritable
        guard isWritable else { return }
        needsPump(clients[Int(id.index)].group)
        pump(now: now, wall: wall, &actions)
    }

    /// Whether a connection is read: while it is not, its DELIVER_ACKs cannot arrive, and no deadline of it runs.
    package mutating func setReading(_ id: DeliveryClientID, _ isReading: Bool, now: MonotonicTime) {
        guard isOpen(id) else { return }
        if isReading {
            clients[Int(id.index)].window.resume(now: now)
        } else {
            clients[Int(id.index)].window.pause(now: now)
        }
    }

    /// Whether any client of the group is here.
    package func isPresent(_ group: String) -> Bool {
        guard let g = groupByName[BindingName(group)] else { return false }
        return !groups[g].isAway
    }

    func isOpen(_ id: DeliveryClientID) -> Bool {
        let c = Int(id.index)
        return c < clients.count && clients[c].isOpen && clients[c].generation == id.generation
    }

    /// The last client of a group went: what waits for it is left to the store.
    private mutating func leave(
        _ g: Int, now: MonotonicTime, wall: Timestamp, _ actions: inout DeliveryActions
    ) {
        var waiting = Array(groups[g].queue)
        groups[g].queue.removeAll()
        for shard in groups[g].shards.indices {
            waiting += groups[g].shards[shard].held + groups[g].shards[shard].parked
            let isElsewhere = groups[g].shards[shard].isElsewhere
            groups[g].shards[shard].start(isElsewhere ? .paging(frontier: 0, isScanning: false) : .away)
            if isElsewhere { actions.scansWanted = true }
        }
        for ref in waiting {
            let i = Int(ref.index)
            guard isCurrent(ref), let p = slots[i].position(of: g) else { continue }
            switch slots[i].owed[p].progress {
            case .inFlight, .left: continue
            case .queued, .held: break
            }
            if slots[i].isFly {
                counters.flyDropped += 1
                removeOwed(p, from: i)
                releaseIfIdle(ref, wall: wall, now: now, &actions)
            } else if !slots[i].owed[p].isPersistent && !groups[g].shards[slots[i].shard].isElsewhere {
                succeed(ref, p, now: now, &actions)
            } else if slots[i].owed[p].attempts > 0 || slots[i].isTracked {
                postpone(ref, p, wall: wall, now: now, &actions)
            } else {
                setProgress(.left, p, of: i)
                releaseIfIdle(ref, wall: wall, now: now, &actions)
            }
        }
    }
}
