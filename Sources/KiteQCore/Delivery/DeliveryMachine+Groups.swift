import DequeModule

/// Groups come with their first mention, and go when nothing is known of them any more but their name.
extension DeliveryMachine {
    /// The rates of all groups that are bound, messages a second; 0 or below is the default. The others are not kept for their
    /// rate's sake.
    package mutating func setWatermarks(_ watermarks: [String: Int], now: MonotonicTime) {
        for g in groups.indices where groups[g].isBound { groups[g].isBound = watermarks[groups[g].name] != nil }
        for (name, watermark) in watermarks {
            let rate = watermark > 0 ? watermark : limits.defaultWatermark
            let g = groupIndex(name)
            groups[g].isBound = true
            guard groups[g].watermark != rate else { continue }
            groups[g].watermark = rate
            groups[g].bucket.setRate(rate, now: now)
        }
    }

    mutating func groupIndex(_ name: String) -> Int {
        // To compare a name is cheaper than to hash it.
        if recentGroup < groups.count, !groups[recentGroup].isFree,
            BindingName(groups[recentGroup].name) == BindingName(name)
        {
            return recentGroup
        }
        if let index = groupByName[BindingName(name)] {
            recentGroup = index
            return index
        }
        var group = DeliveryGroup(
            name: name, bucket: TokenBucket(rate: limits.defaultWatermark), watermark: limits.defaultWatermark,
            shards: Array(repeating: DeliveryGroup.Shard(), count: shards.count))
        let index: Int
        if let free = freeGroups.popLast() {
            index = free
            // Their epochs go on: a scan of the group that was here before may be under way.
            group.shards = groups[index].shards
            groups[index] = group
        } else {
            index = groups.count
            groups.append(group)
        }
        groups[index].isPaused = paused.contains(BindingName(name))
        groupByName[BindingName(name)] = index
        return index
    }

    mutating func needsPump(_ g: Int) {
        guard !groups[g].needsPump else { return }
        groups[g].needsPump = true
        pumpList.append(g)
    }

    /// Gives the places of groups back that are nowhere, that no binding names, and that no message in memory is owed to: names
    /// are the clients' choice, and there is no end of them.
    mutating func forgetGroups() {
        for g in groups.indices where groups[g].isForgettable && slots.account(of: g).owed == 0 {
            groupByName[BindingName(groups[g].name)] = nil
            for shard in groups[g].shards.indices { groups[g].shards[shard].start(.away) }
            groups[g].name = ""
            groups[g].queue = []
            groups[g].isFree = true
            freeGroups.append(g)
        }
    }
}
