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
        _ row: DeliveryScanResult.Row, of g: Int, scan: DeliveryScan, loaded: StoredMessage?, wasAsked: Bool,
        wall: Timestamp
    ) -> Attached {
        if let state = dirty[row.seq] { return state.leavesRows ? .beingWritten : .notOwed }
        if let index = slotBySeq[row.seq] {
            return attach(row, of: g, toSlot: index)
        }
        guard let loaded else { return wasAsked ? .notOwed : .beingWritten }
        var owed: [DeliverySlot.Owed] = []
        switch loaded.state {
        case .half:
            return .notOwed
        case .fresh:
            guard loaded.route.members.contains(where: { $0.group == groups[g].name }) else { return .notOwed }
            for member in loaded.route.members {
                if member.group == groups[g].name {
                    owed.append(
                        .init(group: g, attempts: 0, isPersistent: member.persistent, progress: .queued))
                } else if let entry = owe(
                    member.group, isPersistent: member.persistent, seq: row.seq, shard: scan.shard)
                {
                    owed.append(entry)
                }
            }
        case .tracked:
            guard let delivery = loaded.deliveries.first(where: { $0.group == groups[g].name }), delivery.dueAt <= wall
            else { return .notOwed }
            owed.append(.init(group: g, attempts: delivery.attempts, isPersistent: true, progress: .queued))
        }
        counters.pagedIn += 1
        enqueue(
            makeSlot(
                seq: row.seq, shard: scan.shard, message: loaded.message, owed: owed,
                isTracked: loaded.state == .tracked))
        return .taken
    }

    private mutating func attach(_ row: DeliveryScanResult.Row, of g: Int, toSlot index: Int32) -> Attached {
        let i = Int(index)
        let ref = DeliverySlotRef(index: index, generation: slots[i].generation)
        if let p = slots[i].position(of: g) {
            switch slots[i].owed[p].progress {
            case .queued, .inFlight:
                return .taken
            case .left, .held:
                slots[i].owed[p].attempts = max(slots[i].owed[p].attempts, row.attempts)
                slots[i].owed[p].progress = .queued
            }
        } else if slots[i].isTracked {
            slots[i].owed.append(.init(group: g, attempts: row.attempts, isPersistent: true, progress: .queued))
        } else {
            // Fresh in the store, but the group has finished it here: that is written when the others have, or soon.
            return .notOwed
        }
        groups[g].queue.append(ref)
        return .taken
    }
}
