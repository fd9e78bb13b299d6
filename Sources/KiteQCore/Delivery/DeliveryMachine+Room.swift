/// How much a group may have in memory.
extension DeliveryMachine {
    /// Bytes that may still be queued for a group: it may have as many as are free for all. Alone it gets half of the
    /// memory, n groups that do not keep up get 1/(n + 1) each, and something is always left for the next one.
    func room(_ g: GroupIndex) -> Int { limits.memoryBytes - slots.bytes - slots.account(of: g).bytes }

    /// Whether a group can take one more message into its queue.
    func hasRoom(_ g: GroupIndex) -> Bool {
        !groups[g].isPaused && groups[g].queue.count < limits.queueLength && room(g) > 0
    }

    /// Whether it can take one more of a shard, some of whose messages may wait apart.
    func hasRoom(_ g: GroupIndex, _ shard: Int) -> Bool {
        hasRoom(g) && groups[g].shards[shard].parked.count < limits.queueLength
    }
}
