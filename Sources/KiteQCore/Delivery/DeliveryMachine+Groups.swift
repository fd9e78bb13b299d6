/// Groups come with their first mention, and go when nothing is known of them any more but their name.
extension DeliveryMachine {
    /// The rates of all groups that are bound, messages a second; 0 or below is the default. The others are not kept for their
    /// rate's sake.
    package mutating func setWatermarks(_ watermarks: [String: Int], now: MonotonicTime) {
        for g in groups.places where groups[g].isBound { groups[g].isBound = watermarks[groups[g].name] != nil }
        for (name, watermark) in watermarks {
            let rate = watermark > 0 ? watermark : limits.defaultWatermark
            let g = groupIndex(name)
            groups[g].isBound = true
            guard groups[g].watermark != rate else { continue }
            groups[g].watermark = rate
            groups[g].bucket.setRate(rate, now: now)
        }
    }

    mutating func groupIndex(_ name: String) -> GroupIndex {
        if let known = groups.find(name) { return known }
        var group = DeliveryGroup(
            name: name, bucket: TokenBucket(rate: limits.defaultWatermark), watermark: limits.defaultWatermark,
            shards: Array(repeating: DeliveryGroup.Shard(), count: shards.count))
        group.isPaused = paused.contains(BindingName(name))
        return groups.insert(group)
    }

    mutating func needsPump(_ g: GroupIndex) {
        guard !groups[g].needsPump else { return }
        groups[g].needsPump = true
        pumpList.append(g)
    }

    /// Gives the places of groups back that are nowhere, that no binding names, and that no message in memory is owed to: names
    /// are the clients' choice, and there is no end of them.
    mutating func forgetGroups() {
        for g in groups.places where groups[g].isForgettable && slots.account(of: g).owed == 0 { groups.forget(g) }
    }
}
