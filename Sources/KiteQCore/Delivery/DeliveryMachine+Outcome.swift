import DequeModule

extension DeliveryMachine {
    /// A client's answer to one delivery.
    package struct Acknowledgement: Sendable {
        package var opaque: UInt32
        package var isSuccess: Bool
        package var feedback: String?

        package init(opaque: UInt32, isSuccess: Bool, feedback: String? = nil) {
            self.opaque = opaque
            self.isSuccess = isSuccess
            self.feedback = feedback
        }
    }

    /// DELIVER_ACKs of one client, as one read brought them.
    package mutating func acknowledge(
        _ acknowledgements: [Acknowledgement], client id: DeliveryClientID,
        now: MonotonicTime, wall: Timestamp, _ actions: inout DeliveryActions
    ) {
        guard isOpen(id) else { return }
        let c = Int(id.index)
        let g = clients[c].group
        for ack in acknowledgements {
            switch clients[c].window.acknowledge(ack.opaque) {
            case .inTime(let entry):
                groups[g].inFlight -= 1
                guard isCurrent(entry.slot), let p = slots[Int(entry.slot.index)].position(of: g) else { continue }
                if ack.isSuccess {
                    counters.acknowledged += 1
                    succeed(entry.slot, p, now: now, &actions)
                } else {
                    counters.refused += 1
                    fail(
                        entry.slot, p, error: ack.feedback ?? "refused by the consumer", wall: wall, now: now, &actions)
                }
            case .late(let entry):
                counters.lateAcknowledgements += 1
                // The attempt has failed already. A success is still good news while the message waits in the queue.
                guard ack.isSuccess, isCurrent(entry.slot), let p = slots[Int(entry.slot.index)].position(of: g),
                    slots[Int(entry.slot.index)].owed[p].progress == .queued
                else { continue }
                counters.acknowledged += 1
                succeed(entry.slot, p, now: now, &actions)
            case .unknown:
                counters.unknownAcknowledgements += 1
            }
        }
        needsPump(g)
        pump(now: now, wall: wall, &actions)
    }

    /// The group at this position of the slot is done with the message.
    mutating func succeed(
        _ ref: DeliverySlotRef, _ position: Int, now: MonotonicTime, _ actions: inout DeliveryActions
    ) {
        let i = Int(ref.index)
        let group = slots[i].owed.remove(at: position).group
        if slots[i].isTracked {
            actions.finished.append(slots[i].message.id)
            emit(
                Settlement(seq: slots[i].seq, wasTracked: true, done: [groups[group].name]),
                shard: slots[i].shard, &actions)
        } else if slots[i].owed.isEmpty && !slots[i].isFly {
            actions.finished.append(slots[i].message.id)
            emit(Settlement(seq: slots[i].seq), shard: slots[i].shard, &actions)
        } else if !slots[i].isPartial {
            slots[i].isPartial = true
            if !slots[i].isFly { partials.append((ref, now)) }
        }
        releaseIfIdle(ref, wall: 0, now: now, &actions)
    }

    /// An attempt of the group at this position failed.
    mutating func fail(
        _ ref: DeliverySlotRef, _ position: Int, error: String, wall: Timestamp, now: MonotonicTime,
        _ actions: inout DeliveryActions
    ) {
        let i = Int(ref.index)
        slots[i].owed[position].attempts += 1
        let entry = slots[i].owed[position]
        let decision = limits.schedule.decide(
            attempts: entry.attempts, deliverLimit: slots[i].message.deliverLimit,
            expiresAt: slots[i].message.expiresAt, now: wall)
        switch decision {
        case .retryNow where !groups[entry.group].isAway:
            slots[i].owed[position].progress = .queued
            groups[entry.group].queue.prepend(ref)
            needsPump(entry.group)
            return
        case _ where slots[i].isFly:
            counters.flyDropped += 1
            slots[i].owed.remove(at: position)
        case .retryNow where !entry.isPersistent:
            // Its last client went with this attempt: it counts as delivered.
            succeed(ref, position, now: now, &actions)
            return
        case .retryNow:
            write(ref, position, dueAt: 0, error: error, wall: wall, now: now, &actions)
        case .retryAt(let dueAt):
            write(ref, position, dueAt: dueAt, error: error, wall: wall, now: now, &actions)
        case .deadLetter(let reason):
            bury(ref, position, reason: reason, error: error, wall: wall, now: now, &actions)
        }
        releaseIfIdle(ref, wall: wall, now: now, &actions)
    }

    /// Writes the state of the group at this position and leaves it to the store.
    private mutating func write(
        _ ref: DeliverySlotRef, _ position: Int, dueAt: Timestamp, error: String, wall: Timestamp, now: MonotonicTime,
        _ actions: inout DeliveryActions
    ) {
        let i = Int(ref.index)
        let entry = slots[i].owed.remove(at: position)
        let due = min(dueAt, slots[i].message.expiresAt)
        let own = Settlement.Pending(
            group: groups[entry.group].name, attempts: entry.attempts, dueAt: due, lastError: error)
        if due > 0 { expectDue(entry.group, slots[i].shard, at: due) }
        track(ref, plus: [own], dead: [], wall: wall, now: now, &actions)
    }

    /// The group went with attempts made: they are written, so that a message its consumers die of ends some day.
    mutating func postpone(
        _ ref: DeliverySlotRef, _ position: Int, wall: Timestamp, now: MonotonicTime, _ actions: inout DeliveryActions
    ) {
        write(ref, position, dueAt: 0, error: "the group went away", wall: wall, now: now, &actions)
        releaseIfIdle(ref, wall: wall, now: now, &actions)
    }

    /// The dead letters take it from the group at this position.
    mutating func bury(
        _ ref: DeliverySlotRef, _ position: Int, reason: DeadLetterReason, error: String?, wall: Timestamp,
        now: MonotonicTime, _ actions: inout DeliveryActions
    ) {
        let i = Int(ref.index)
        let entry = slots[i].owed.remove(at: position)
        counters.deadLettered += 1
        if reason == .expired { counters.expired += 1 }
        actions.finished.append(slots[i].message.id)
        let dead = Settlement.Dead(
            group: groups[entry.group].name, attempts: entry.attempts, reason: reason, lastError: error)
        track(ref, plus: [], dead: [dead], wall: wall, now: now, &actions)
    }

    /// Emits what the store must know of a message whose groups' states differ: `plus` and `dead` for groups just taken out
    /// of the slot and, the first time, a row for every group that is still in it.
    mutating func track(
        _ ref: DeliverySlotRef, plus: [Settlement.Pending], dead: [Settlement.Dead], wall: Timestamp,
        now: MonotonicTime,
        _ actions: inout DeliveryActions
    ) {
        let i = Int(ref.index)
        var pending = plus
        if !slots[i].isTracked {
            for entry in slots[i].owed {
                pending.append(
                    Settlement.Pending(
                        group: groups[entry.group].name, attempts: entry.attempts,
                        dueAt: min(rowDue(entry.progress, wall: wall, now: now), slots[i].message.expiresAt)))
            }
        }
        let settlement = Settlement(
            seq: slots[i].seq, wasTracked: slots[i].isTracked, done: [], dead: dead, pending: pending)
        slots[i].isTracked = true
        emit(settlement, shard: slots[i].shard, &actions)
    }

    /// When a scan should find the row of a group whose delivery memory still drives: only if memory is lost.
    private func rowDue(_ progress: DeliverySlot.Owed.Progress, wall: Timestamp, now: MonotonicTime) -> Timestamp {
        switch progress {
        case .left: 0
        case .inFlight(let deadline): wall + Timestamp(max(0, deadline - now) / 1_000_000) + 1_000
        case .queued, .held: wall + 60_000
        }
    }

    /// Drops a slot that no group here is working on. What differs from the store is written first.
    mutating func releaseIfIdle(
        _ ref: DeliverySlotRef, wall: Timestamp, now: MonotonicTime, _ actions: inout DeliveryActions
    ) {
        let i = Int(ref.index)
        guard !slots[i].isFree, !slots[i].owed.contains(where: \.isActive) else { return }
        if !slots[i].isFly && !slots[i].isTracked && slots[i].isPartial && !slots[i].owed.isEmpty {
            track(ref, plus: [], dead: [], wall: wall, now: now, &actions)
        }
        freeSlot(ref.index)
    }

    mutating func expectDue(_ g: Int, _ shard: Int, at due: Timestamp) {
        groups[g].shards[shard].nextDue = min(groups[g].shards[shard].nextDue, due)
    }
}
