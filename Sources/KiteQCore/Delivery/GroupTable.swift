/// A group's place in the table, as long as it is known.
struct GroupIndex: Sendable, Hashable {
    let value: Int
}

/// The groups that are known, and places that are free again. Names count by their bytes.
struct GroupTable: Sendable {
    private var groups: [DeliveryGroup] = []
    private var byName: [BindingName: GroupIndex] = [:]
    private var free: [GroupIndex] = []
    /// The one that was last asked for by its name: mostly it is the next one, too.
    private var recent = GroupIndex(value: 0)

    /// Places, those that are free too.
    var count: Int { groups.count }

    subscript(_ index: GroupIndex) -> DeliveryGroup {
        _read { yield groups[index.value] }
        _modify { yield &groups[index.value] }
    }

    /// All places, those that are free too. It holds on to no group: while it is gone through they may change.
    var places: some Sequence<GroupIndex> { (0..<groups.count).lazy.map { GroupIndex(value: $0) } }

    /// The groups that are known.
    var known: some Sequence<DeliveryGroup> { groups.lazy.filter { !$0.isFree } }

    func index(of name: String) -> GroupIndex? { byName[BindingName(name)] }

    /// The same, quicker for a group that is asked for time and again.
    mutating func find(_ name: String) -> GroupIndex? {
        // To compare a name is cheaper than to hash it.
        if recent.value < groups.count, !self[recent].isFree, BindingName(self[recent].name) == BindingName(name) {
            return recent
        }
        guard let index = byName[BindingName(name)] else { return nil }
        recent = index
        return index
    }

    mutating func insert(_ group: DeliveryGroup) -> GroupIndex {
        let index: GroupIndex
        if let place = free.popLast() {
            index = place
            // Their epochs go on: a scan of the group that was here before may be under way.
            let shards = self[index].shards
            self[index] = group
            self[index].shards = shards
        } else {
            index = GroupIndex(value: groups.count)
            groups.append(group)
        }
        byName[BindingName(group.name)] = index
        return index
    }

    mutating func forget(_ index: GroupIndex) {
        byName[BindingName(self[index].name)] = nil
        for shard in self[index].shards.indices { self[index].shards[shard].start(.away) }
        self[index].name = ""
        self[index].queue = GroupQueue()
        self[index].isFree = true
        free.append(index)
    }
}
