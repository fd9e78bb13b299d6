import DequeModule

/// What waits below paths of names, and its turns: the branches of a node are looked at one after the other, and so on within each.
/// What came to a leaf first leaves it first.
///
/// However much waits on one branch, what comes to another waits for one of it at a time. All paths have the same length.
struct TurnTree<Item: Sendable>: Sendable {
    enum Next {
        case now(Item)
        /// Nothing is due; the first will be then.
        case later(MonotonicTime)
        case nothing
    }

    /// Of all leaves.
    private(set) var count = 0
    private var items = Deque<Item>()
    private var branches: [BindingName: TurnTree] = [:]
    private var turns = Deque<BindingName>()

    func count(at path: ArraySlice<BindingName>) -> Int {
        guard let step = path.first else { return count }
        return branches[step]?.count(at: path.dropFirst()) ?? 0
    }

    mutating func append(_ item: Item, at path: ArraySlice<BindingName>) {
        count += 1
        guard let step = path.first else { return items.append(item) }
        if branches[step] == nil { turns.append(step) }
        branches[step, default: TurnTree()].append(item, at: path.dropFirst())
    }

    /// Takes the newest item of a leaf that is meant; nil where there is none.
    mutating func removeLast(at path: ArraySlice<BindingName>, where isMeant: (Item) -> Bool) -> Item? {
        let item: Item
        if let step = path.first {
            guard let found = branches[step]?.removeLast(at: path.dropFirst(), where: isMeant) else { return nil }
            if branches[step]?.count == 0 {
                branches[step] = nil
                turns.removeAll { $0 == step }
            }
            item = found
        } else {
            guard let index = items.lastIndex(where: isMeant) else { return nil }
            item = items.remove(at: index)
        }
        count -= 1
        return item
    }

    /// Takes the first item whose turn it is and whose time has come.
    mutating func next(now: MonotonicTime, dueAt: (Item) -> MonotonicTime) -> Next {
        if let first = items.first {
            let due = dueAt(first)
            guard due <= now else { return .later(due) }
            items.removeFirst()
            count -= 1
            return .now(first)
        }
        var soonest: MonotonicTime?
        for _ in 0..<turns.count {
            let step = turns.removeFirst()
            turns.append(step)
            switch branches[step]?.next(now: now, dueAt: dueAt) {
            case .now(let item):
                count -= 1
                if branches[step]?.count == 0 {
                    branches[step] = nil
                    turns.removeLast()
                }
                return .now(item)
            case .later(let time): soonest = min(soonest ?? time, time)
            case .nothing, nil: break
            }
        }
        return soonest.map { .later($0) } ?? .nothing
    }

    /// Shows each leaf below a path: its newest item, and how much waits at each node from below the path down to the leaf.
    func eachLeaf(below path: ArraySlice<BindingName>, _ body: (_ newest: Item, _ counts: [Int]) -> Void) {
        guard let step = path.first else {
            var counts: [Int] = []
            return eachLeaf(&counts, body)
        }
        branches[step]?.eachLeaf(below: path.dropFirst(), body)
    }

    private func eachLeaf(_ counts: inout [Int], _ body: (Item, [Int]) -> Void) {
        if let newest = items.last { body(newest, counts) }
        for branch in branches.values {
            counts.append(branch.count)
            branch.eachLeaf(&counts, body)
            counts.removeLast()
        }
    }
}
