/// Every change of what is in memory for whom goes through here, so that the groups' accounts are right.
extension DeliveryMachine {
    /// Bytes that may still be queued for a group: it may have as many as are free for all. Alone it gets half of the
    /// memory, n groups that do not keep up get 1/(n + 1) each, and something is always left for the next one.
    func room(_ g: Int) -> Int { limits.memoryBytes - memoryBytes - groups[g].bytes }

    /// Whether a group can take one more message into its queue.
    func hasRoom(_ g: Int) -> Bool {
        !groups[g].isPaused && groups[g].queue.count < limits.queueLength && room(g) > 0
    }

    /// Whether it can take one more of a shard, some of whose messages may wait apart.
    func hasRoom(_ g: Int, _ shard: Int) -> Bool {
        hasRoom(g) && groups[g].shards[shard].parked.count < limits.queueLength
    }

    mutating func addOwed(_ entry: DeliverySlot.Owed, to slot: Int) {
        slots[slot].owed.append(entry)
        count(entry, slot)
    }

    @discardableResult
    mutating func removeOwed(_ position: Int, from slot: Int) -> DeliverySlot.Owed {
        let entry = slots[slot].owed.remove(at: position)
        uncount(entry, slot)
        return entry
    }

    /// Those that no group here is working on are the store's from now on.
    mutating func removeLeft(from slot: Int) {
        for entry in slots[slot].owed where !entry.isActive { uncount(entry, slot) }
        slots[slot].owed.removeAll { !$0.isActive }
    }

    mutating func setProgress(_ progress: DeliverySlot.Owed.Progress, _ position: Int, of slot: Int) {
        uncount(slots[slot].owed[position], slot)
        slots[slot].owed[position].progress = progress
        count(slots[slot].owed[position], slot)
    }

    mutating func count(_ entry: DeliverySlot.Owed, _ slot: Int) {
        groups[entry.group].owe(activeBytes: entry.isActive ? slots[slot].message.footprint : 0)
    }

    mutating func uncount(_ entry: DeliverySlot.Owed, _ slot: Int) {
        groups[entry.group].owesNoMore(activeBytes: entry.isActive ? slots[slot].message.footprint : 0)
    }
}
