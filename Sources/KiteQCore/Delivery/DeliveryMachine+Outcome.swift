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
        _ acknowledgements: [Acknowledgement], client id: DeliveryClientID, _ moment: inout DeliveryMoment
    ) {
        guard let c = clients.index(of: id) else { return }
        for ack in acknowledgements { _ = answer(ack, of: c, &moment) }
        needsPump(clients[c].group)
        pump(&moment)
    }

    /// One answer; false where it changes nothing.
    mutating func answer(_ ack: Acknowledgement, of c: ClientIndex, _ moment: inout DeliveryMoment) -> Bool {
        let g = clients[c].group
        let answered = clients[c].acknowledge(ack.opaque, now: moment.now)
        if ack.isSuccess, !answered.isUnknown { markConsumer(c) }
        switch answered {
        case .inTime(let entry):
            endFlight(entry, of: c)
            if !groups[g].suspects.isEmpty { groups[g].suspects.clear(entry.seq, Int(entry.shard)) }
            answerTimes.record(moment.now - entry.sentAt)
            guard slots.isCurrent(entry.slot), let p = slots[entry.slot].position(of: g) else { return false }
            if ack.isSuccess {
                countAcknowledged(entry.slot, g)
                succeed(entry.slot, p, &moment)
            } else {
                counters.refused += 1
                groups[g].counters.refused += 1
                topics[slots[entry.slot].topic].refused += 1
                fail(entry.slot, p, error: ack.feedback ?? "refused by the consumer", &moment)
            }
            return true
        case .late(let entry):
            counters.lateAcknowledgements += 1
            // The attempt has failed already, and a refusal says nothing new. A success is good news whenever it comes.
            return ack.isSuccess && succeedLate(entry, g, &moment)
        case .unknown:
            counters.unknownAcknowledgements += 1
            return false
        }
    }

    /// The group has handled a message whose attempt was given up: it is done with it, in whichever state the next attempt is.
    private mutating func succeedLate(_ entry: DeliveryClient.Entry, _ g: GroupIndex, _ moment: inout DeliveryMoment)
        -> Bool
    {
        groups[g].suspects.clear(entry.seq, Int(entry.shard))
        if let ref = slot(of: entry) {
            if let p = slots[ref].position(of: g) {
                // In flight again, perhaps: that answer then finds nothing to settle.
                countAcknowledged(ref, g)
                succeed(ref, p, &moment)
                return true
            }
            // Not tracked: the group has finished it here, and all that the store must know of that is on its way.
            guard slots[ref].isTracked else { return false }
        }
        guard entry.seq != 0 else { return false }
        // It is in the store alone: as a row that waits for its time, in another broker's hands, or among the dead letters.
        counters.acknowledged += 1
        groups[g].counters.acknowledged += 1
        emit(Settlement(seq: entry.seq, late: [groups[g].name]), shard: Int(entry.shard), &moment)
        return true
    }

    /// Where a message that was sent is in memory now: where it was then or, read back from the store, elsewhere.
    private func slot(of entry: DeliveryClient.Entry) -> DeliverySlotRef? {
        if slots.isCurrent(entry.slot) { return entry.slot }
        return entry.seq == 0 ? nil : slots.ref(of: entry.seq, Int(entry.shard))
    }

    private mutating func countAcknowledged(_ ref: DeliverySlotRef, _ g: GroupIndex) {
        counters.acknowledged += 1
        groups[g].counters.acknowledged += 1
        topics[slots[ref].topic].acknowledged += 1
    }

    /// The group at this position of the slot is done with the message.
    mutating func succeed(_ ref: DeliverySlotRef, _ position: Int, _ moment: inout DeliveryMoment) {
        let group = slots.removeOwed(position, of: ref).group
        if slots[ref].isTracked {
            moment.actions.finished.append(slots[ref].message)
            emit(
                Settlement(
                    seq: slots[ref].seq, bytes: slots[ref].message.footprint, wasTracked: true,
                    done: [groups[group].name]), shard: slots[ref].shard, &moment)
        } else if slots[ref].owed.isEmpty && !slots[ref].isFly {
            moment.actions.finished.append(slots[ref].message)
            emit(Settlement(seq: slots[ref].seq, bytes: slots[ref].message.footprint), shard: slots[ref].shard, &moment)
        } else if !slots[ref].isPartial {
            slots.markPartial(ref)
            if !slots[ref].isFly { partials.append((ref, moment.now)) }
        }
        releaseIfIdle(ref, &moment)
    }

    /// An attempt of the group at this position failed.
    ///
    /// - Parameter isLast: others have their turn before the next attempt.
    mutating func fail(
        _ ref: DeliverySlotRef, _ position: Int, error: String, isLast: Bool = false, _ moment: inout DeliveryMoment
    ) {
        slots.addAttempt(position, of: ref)
        let entry = slots[ref].owed[position]
        let isAway = groups[entry.group].isAway
        let decision = topics.redelivery(slots[ref].topic).decide(
            attempts: entry.attempts, deliverLimit: slots[ref].message.deliverLimit,
            expiresAt: slots[ref].message.expiresAt, now: time(of: slots[ref].shard, moment.wall))
        switch decision {
        case .retryNow where !isAway && !groups[entry.group].isPaused:
            slots.setProgress(.queued, position, of: ref)
            if isLast { groups[entry.group].queue.append(ref) } else { groups[entry.group].queue.putBack(ref) }
            needsPump(entry.group)
            return
        case _ where slots[ref].isFly:
            counters.flyDropped += 1
            slots.removeOwed(position, of: ref)
        case .retryNow where isAway && !entry.isPersistent && !groups[entry.group].shards[slots[ref].shard].isElsewhere:
            // Its last client went with this attempt: it counts as delivered.
            succeed(ref, position, &moment)
            return
        case .retryNow:
            write(
                ref, position, dueAt: dueWithoutClient(entry.group, slots[ref].shard, moment.wall), error: error,
                &moment)
        case .retryAt(let dueAt):
            write(ref, position, dueAt: dueAt, error: error, &moment)
        case .deadLetter(let reason):
            bury(ref, position, reason: reason, error: error, &moment)
        }
        releaseIfIdle(ref, &moment)
    }

    /// Writes the state of the group at this position and leaves it to the store.
    private mutating func write(
        _ ref: DeliverySlotRef, _ position: Int, dueAt: Timestamp, error: String?, _ moment: inout DeliveryMoment
    ) {
        let entry = slots.removeOwed(position, of: ref)
        let own = Settlement.Pending(
            group: groups[entry.group].name, attempts: entry.attempts,
            dueAt: min(dueAt, slots[ref].message.expiresAt), lastError: error)
        track(ref, plus: [own], &moment)
    }

    /// The group went or was paused: the attempts made are written, so that a message its consumers die of ends some day, and
    /// a row that was taken from the store is anybody's again.
    ///
    /// - Parameter error: what is written of it where attempts were made.
    mutating func postpone(_ ref: DeliverySlotRef, _ position: Int, error: String, _ moment: inout DeliveryMoment) {
        let (g, shard) = (slots[ref].owed[position].group, slots[ref].shard)
        let wasTried = slots[ref].owed[position].attempts > 0
        write(ref, position, dueAt: dueWithoutClient(g, shard, moment.wall), error: wasTried ? error : nil, &moment)
        releaseIfIdle(ref, &moment)
    }

    /// The dead letters take it from the group at this position.
    mutating func bury(
        _ ref: DeliverySlotRef, _ position: Int, reason: DeadLetterReason, error: String?,
        _ moment: inout DeliveryMoment
    ) {
        let entry = slots.removeOwed(position, of: ref)
        groups[entry.group].suspects.clear(slots[ref].seq, slots[ref].shard)
        counters.deadLettered += 1
        groups[entry.group].counters.deadLettered += 1
        topics[slots[ref].topic].deadLettered += 1
        if reason == .expired { counters.expired += 1 }
        moment.actions.finished.append(slots[ref].message)
        moment.actions.burials.append(
            .init(
                message: slots[ref].message, group: groups[entry.group].name, reason: reason, attempts: entry.attempts,
                error: error))
        let dead = Settlement.Dead(
            group: groups[entry.group].name, attempts: entry.attempts, reason: reason, lastError: error)
        track(ref, dead: [dead], &moment)
    }

    /// Emits what the store must know of a message whose groups' states differ: `plus` and `dead` for groups just taken out
    /// of the slot and, the first time, a row for every group that is still in it. Those that are left to the store are the
    /// store's from then on.
    mutating func track(
        _ ref: DeliverySlotRef, plus: [Settlement.Pending] = [], dead: [Settlement.Dead] = [],
        _ moment: inout DeliveryMoment
    ) {
        var pending = plus
        if !slots[ref].isTracked {
            for entry in slots[ref].owed {
                let name = groups[entry.group].name
                guard !entry.isActive else {
                    pending.append(Settlement.Pending(held: name, attempts: entry.attempts))
                    continue
                }
                let due = dueWithoutClient(entry.group, slots[ref].shard, moment.wall)
                pending.append(
                    Settlement.Pending(
                        group: name, attempts: entry.attempts, dueAt: min(due, slots[ref].message.expiresAt)))
            }
            slots.removeLeft(of: ref)
        }
        let settlement = Settlement(
            seq: slots[ref].seq, bytes: slots[ref].message.footprint, wasTracked: slots[ref].isTracked, done: [],
            dead: dead,
            pending: pending)
        slots.markTracked(ref)
        emit(settlement, shard: slots[ref].shard, &moment)
    }

    /// Turns a fresh message that is not in memory into a row for each of its groups.
    mutating func giveAway(
        _ seq: Int64, _ route: Route, expiresAt: Timestamp = .max, shard: Int, _ moment: inout DeliveryMoment
    ) {
        let pending = route.members.map { member in
            let due = dueWithoutClient(groupIndex(member.group), shard, moment.wall)
            return Settlement.Pending(group: member.group, attempts: 0, dueAt: min(due, expiresAt))
        }
        emit(Settlement(seq: seq, pending: pending), shard: shard, &moment)
    }

    /// When the row of a group that is not worked on here is due: now where another broker has a client of it, else (0) when
    /// one comes.
    func dueWithoutClient(_ g: GroupIndex, _ shard: Int, _ wall: Timestamp) -> Timestamp {
        groups[g].isAway && groups[g].shards[shard].isElsewhere ? time(of: shard, wall) : 0
    }

    /// Drops a slot that no group here is working on. What differs from the store is written first.
    mutating func releaseIfIdle(_ ref: DeliverySlotRef, _ moment: inout DeliveryMoment) {
        guard !slots[ref].isFree, !slots[ref].owed.contains(where: \.isActive) else { return }
        if !slots[ref].isFly && !slots[ref].isTracked && slots[ref].isPartial && !slots[ref].owed.isEmpty {
            track(ref, &moment)
        }
        slots.remove(ref)
    }
}
