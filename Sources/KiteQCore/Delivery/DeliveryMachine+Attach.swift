extension DeliveryMachine {
    enum Attached {
        /// Queued for the group, or in its hands already.
        case taken
        /// Gone, finished, or somebody else's.
        case notOwed
        /// What the scan saw is out of date: newer state of it is on its way to the store.
        case beingWritten
    }

    /// Puts a message that a scan found into its group's queue.
    mutating func attach(
        _ row: DeliveryScanResult.Row, of g: GroupIndex, shard: Int, loaded: StoredMessage?, wasAsked: Bool,
        _ moment: inout DeliveryMoment
    ) -> Attached {
        if case .tracked = row.kind {
            // Whose row was loaded has taken it: nothing else of this group's is on its way.
            if let loaded { return attachTracked(loaded, of: g, shard: shard) }
            return wasAsked || isWorkedOn(row.seq, shard, by: g) || !shards[shard].unwritten.contains(row.seq)
                || shards[shard].unwritten.isAside(row.seq)
                ? .notOwed : .beingWritten
        }
        if shards[shard].unwritten.contains(row.seq) {
            return shards[shard].unwritten.willLeaveRows(of: row.seq) ? .beingWritten : .notOwed
        }
        if let ref = slots.ref(of: row.seq, shard) { return attachFresh(row.seq, of: g, toSlot: ref) }
        guard let loaded else { return wasAsked ? .notOwed : .beingWritten }
        return attachFresh(loaded, of: g, shard: shard, &moment)
    }

    private mutating func attachTracked(_ loaded: StoredMessage, of g: GroupIndex, shard: Int) -> Attached {
        // It may have turned from fresh to tracked before it was loaded; another scan finds the row.
        guard loaded.state == .tracked, let delivery = loaded.deliveries.first(where: { $0.group == groups[g].name })
        else { return .notOwed }
        let owed = DeliverySlot.Owed(group: g, attempts: delivery.attempts, isPersistent: true, progress: .queued)
        guard let ref = slots.ref(of: loaded.seq, shard) else {
            counters.pagedIn += 1
            enqueue(
                slots.insert(
                    DeliverySlot(
                        seq: loaded.seq, shard: shard, topic: topics.index(of: loaded.message.topic),
                        message: loaded.message, owed: [owed], isTracked: true)))
            return .taken
        }
        if slots[ref].position(of: g) == nil {
            slots.owe(owed, ref)
            groups[g].queue.append(ref)
        }
        return .taken
    }

    private mutating func attachFresh(
        _ loaded: StoredMessage, of g: GroupIndex, shard: Int, _ moment: inout DeliveryMoment
    ) -> Attached {
        // It turned tracked before it was loaded: its row was taken in one go.
        if loaded.state == .tracked { return attachTracked(loaded, of: g, shard: shard) }
        guard loaded.state == .fresh, loaded.route.members.contains(where: { $0.group == groups[g].name }) else {
            return .notOwed
        }
        var owed: [DeliverySlot.Owed] = []
        var isGivenAway = false
        for member in loaded.route.members {
            if member.group == groups[g].name {
                owed.append(.init(group: g, attempts: 0, isPersistent: member.persistent, progress: .queued))
            } else {
                owe(
                    member.group, isPersistent: member.persistent, seq: loaded.seq, shard: shard, to: &owed,
                    isGivenAway: &isGivenAway)
            }
        }
        counters.pagedIn += 1
        shards[shard].pagedIn.insert(loaded.seq)
        let ref = slots.insert(
            DeliverySlot(
                seq: loaded.seq, shard: shard, topic: topics.index(of: loaded.message.topic), message: loaded.message,
                owed: owed, isTracked: false))
        enqueue(ref)
        if isGivenAway { track(ref, &moment) }
        return .taken
    }

    private mutating func attachFresh(_ seq: Int64, of g: GroupIndex, toSlot ref: DeliverySlotRef) -> Attached {
        // Without an entry the group has finished it here: that is written when the others have, or soon.
        guard let p = slots[ref].position(of: g) else { return .notOwed }
        switch slots[ref].owed[p].progress {
        case .queued, .inFlight:
            return .taken
        case .left, .held:
            slots.setProgress(.queued, p, of: ref)
            groups[g].queue.append(ref)
            return .taken
        }
    }
}
