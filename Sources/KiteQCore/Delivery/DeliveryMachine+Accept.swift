extension DeliveryMachine {
    /// Messages that the store has just taken, fresh and owned by this broker.
    package mutating func accept(
        _ messages: [(seq: Int64, message: Message, route: Route)], shard: Int, _ moment: inout DeliveryMoment
    ) {
        for (seq, message, route) in messages {
            let topic = topics.index(of: message.topic)
            topics[topic].published += 1
            guard !slots.contains(seq, shard), !shards[shard].unwritten.contains(seq) else { continue }
            guard !shards[shard].pagedIn.contains(seq) else {
                // A scan met it before this report. Whether its row is still there, only the store knows.
                for member in route.members { reread(groupIndex(member.group), shard, from: seq, &moment) }
                continue
            }
            var owed: [DeliverySlot.Owed] = []
            owed.reserveCapacity(route.members.count)
            var isGivenAway = false
            for member in route.members {
                owe(
                    member.group, isPersistent: member.persistent, seq: seq, shard: shard, to: &owed,
                    isGivenAway: &isGivenAway)
            }
            if owed.isEmpty {
                // Bound without persistence, and nobody is anywhere: it counts as delivered.
                moment.actions.finished.append(message)
                emit(Settlement(seq: seq, bytes: message.footprint), shard: shard, &moment)
            } else if owed.contains(where: \.isActive) {
                let ref = slots.insert(
                    DeliverySlot(
                        seq: seq, shard: shard, topic: topic, message: message, owed: owed, isTracked: false,
                        acceptedAt: moment.now))
                enqueue(ref)
                if isGivenAway { track(ref, &moment) }
            } else if isGivenAway {
                giveAway(seq, route, expiresAt: message.expiresAt, shard: shard, &moment)
            }
        }
        pump(&moment)
    }

    /// Messages that are in no store: to one client of each group that is here, now.
    package mutating func acceptFly(_ messages: [(message: Message, route: Route)], _ moment: inout DeliveryMoment) {
        for (message, route) in messages {
            let topic = topics.index(of: message.topic)
            topics[topic].published += 1
            var owed: [DeliverySlot.Owed] = []
            for member in route.members {
                let g = groupIndex(member.group)
                guard !groups[g].isAway, hasRoom(g) else {
                    counters.flyDropped += 1
                    continue
                }
                owed.append(.init(group: g, attempts: 0, isPersistent: false, progress: .queued))
            }
            guard !owed.isEmpty else { continue }
            enqueue(
                slots.insert(
                    DeliverySlot(
                        seq: 0, shard: 0, topic: topic, message: message, owed: owed, isTracked: false,
                        acceptedAt: moment.now)))
        }
        pump(&moment)
    }

    /// Rows from this seq on may be in the store alone, such as those of an insert whose reply was lost: the groups that
    /// believe to know all of this shard read again from there.
    package mutating func reread(shard: Int, from seq: Int64, _ moment: inout DeliveryMoment) {
        for g in groups.places { reread(g, shard, from: seq, &moment) }
    }

    mutating func reread(_ g: GroupIndex, _ shard: Int, from seq: Int64, _ moment: inout DeliveryMoment) {
        switch groups[g].shards[shard].backlog {
        case .away: return
        case .live: groups[g].shards[shard].backlog = .paging(frontier: seq - 1, isScanning: false)
        case .paging(let frontier, let isScanning):
            if isScanning {
                groups[g].shards[shard].overflow = min(groups[g].shards[shard].overflow, seq)
            } else {
                groups[g].shards[shard].backlog = .paging(frontier: min(frontier, seq - 1), isScanning: false)
            }
        }
        moment.actions.scansWanted = true
    }

    /// Says what becomes of a fresh message that is owed to a group: adds the group to `owed`, unless the message counts as
    /// delivered to it, and says where it is another broker's to deliver.
    mutating func owe(
        _ name: String, isPersistent: Bool, seq: Int64, shard: Int, to owed: inout [DeliverySlot.Owed],
        isGivenAway: inout Bool
    ) {
        let g = groupIndex(name)
        var entry = DeliverySlot.Owed(group: g, attempts: 0, isPersistent: isPersistent, progress: .left)
        switch groups[g].shards[shard].backlog {
        case .away:
            if !isPersistent { return }
        case .live:
            take(&entry, of: g, seq: seq, shard: shard, isGivenAway: &isGivenAway)
        case .paging(let frontier, let isScanning):
            if isScanning {
                let hasRoom = groups[g].shards[shard].held.count < limits.queueLength && room(g) > 0
                if hasRoom && !groups[g].isAway {
                    entry.progress = .held
                } else {
                    groups[g].shards[shard].overflow = min(groups[g].shards[shard].overflow, seq)
                }
            } else if seq <= frontier {
                take(&entry, of: g, seq: seq, shard: shard, isGivenAway: &isGivenAway)
            }
        }
        owed.append(entry)
    }

    /// A group is at the place of a message that is new to it, all before it seen: the message is its now, or the other broker's
    /// that has the group. Where there is no room for that it is left to the store, and the group reads on from it.
    private mutating func take(
        _ entry: inout DeliverySlot.Owed, of g: GroupIndex, seq: Int64, shard: Int, isGivenAway: inout Bool
    ) {
        if groups[g].isAway, !shards[shard].unwritten.areTooMany {
            isGivenAway = true
        } else if !groups[g].isAway, hasRoom(g, shard) {
            entry.progress = .queued
        } else {
            groups[g].shards[shard].backlog = .paging(frontier: seq - 1, isScanning: false)
        }
    }

    /// Puts a new slot where its groups' entries say.
    mutating func enqueue(_ ref: DeliverySlotRef) {
        // By their places: to hold the message and the list meanwhile would count two references up and down.
        for p in slots[ref].owed.indices {
            let entry = slots[ref].owed[p]
            switch entry.progress {
            case .queued:
                groups[entry.group].queue.append(ref)
                needsPump(entry.group)
            case .held:
                groups[entry.group].shards[slots[ref].shard].held.append(ref)
            case .inFlight, .left:
                break
            }
        }
    }
}
