import DequeModule

/// Who is looked at next of those who want to be let in, where that takes long: the addresses have their turns, and within one its
/// groups. Whoever failed again and again has to wait for the next try.
///
/// Neither how many come from one address nor what they name lets others wait longer than for one of theirs at a time. More than
/// there is room for is pushed out where most of it waits.
package struct GateQueue<Case: Sendable>: Sendable {
    package struct Entry: Sendable {
        package var address: String
        package var group: BindingName
        package var content: Case
    }

    package enum Next: Sendable {
        case now(Entry)
        /// All that wait have failed lately: the first of them may try then.
        case later(MonotonicTime)
        case nothing
    }

    /// What waits from one address.
    private struct Line {
        var cases: [BindingName: Deque<Case>] = [:]
        var turns = Deque<BindingName>()
        var count = 0
    }

    private let limit: Int
    private let limitOfAddress: Int
    private var lines: [String: Line] = [:]
    private var turns = Deque<String>()
    private var pauses = FailurePauses<BindingName>()
    package private(set) var count = 0

    /// - Parameters:
    ///   - limit: cases that wait.
    ///   - limitOfAddress: of these from one address.
    package init(limit: Int, limitOfAddress: Int) {
        self.limit = limit
        self.limitOfAddress = limitOfAddress
    }

    // MARK: Coming

    /// Takes a case.
    /// - Returns: what has to give way, which may be this one.
    package mutating func add(_ content: Case, from address: String, of group: BindingName) -> Entry? {
        append(content, address, group)
        if lines[address]?.count ?? 0 > limitOfAddress { return removeNewest(from: address, inFavourOf: group) }
        guard count > limit else { return nil }
        // Where most wait; this address, where it is one of those with several.
        let most = lines.values.map(\.count).max() ?? 0
        let isOwn = most > 1 && lines[address]?.count == most
        let longest = isOwn ? address : lines.first { $0.value.count == most && $0.key != address }?.key
        return longest.flatMap { removeNewest(from: $0, inFavourOf: group) }
    }

    private mutating func append(_ content: Case, _ address: String, _ group: BindingName) {
        if lines[address] == nil { turns.append(address) }
        if lines[address]?.cases[group] == nil { lines[address, default: Line()].turns.append(group) }
        lines[address]?.cases[group, default: []].append(content)
        lines[address]?.count += 1
        count += 1
    }

    /// The newest case of the group that has most; of this group, where it is one of those with several.
    private mutating func removeNewest(from address: String, inFavourOf group: BindingName) -> Entry? {
        guard let line = lines[address] else { return nil }
        let most = line.cases.values.map(\.count).max() ?? 0
        let isOwn = most > 1 && line.cases[group]?.count == most
        let longest = isOwn ? group : line.cases.first { $0.value.count == most && $0.key != group }?.key ?? group
        guard let content = lines[address]?.cases[longest]?.popLast() else { return nil }
        removed(longest, from: address)
        return Entry(address: address, group: longest, content: content)
    }

    private mutating func removed(_ group: BindingName, from address: String) {
        count -= 1
        lines[address]?.count -= 1
        if lines[address]?.cases[group]?.isEmpty == true {
            lines[address]?.cases[group] = nil
            lines[address]?.turns.removeAll { $0 == group }
        }
        if lines[address]?.count == 0 {
            lines[address] = nil
            turns.removeAll { $0 == address }
        }
    }

    // MARK: Going

    /// The next one whose time has come.
    package mutating func next(now: MonotonicTime) -> Next {
        var soonest: MonotonicTime?
        for _ in 0..<turns.count {
            guard let address = turns.popFirst() else { break }
            turns.append(address)
            switch next(from: address, now: now) {
            case .now(let entry): return .now(entry)
            case .later(let time): soonest = min(soonest ?? time, time)
            case .nothing: break
            }
        }
        return soonest.map { .later($0) } ?? .nothing
    }

    private mutating func next(from address: String, now: MonotonicTime) -> Next {
        var soonest: MonotonicTime?
        for _ in 0..<(lines[address]?.turns.count ?? 0) {
            guard let group = lines[address]?.turns.popFirst() else { break }
            lines[address]?.turns.append(group)
            let mayTry = pauses.end(address, group)
            guard mayTry <= now else {
                soonest = min(soonest ?? mayTry, mayTry)
                continue
            }
            guard let content = lines[address]?.cases[group]?.popFirst() else { continue }
            removed(group, from: address)
            return .now(Entry(address: address, group: group, content: content))
        }
        return soonest.map { .later($0) } ?? .nothing
    }

    // MARK: What came of it

    package mutating func failed(_ address: String, _ group: BindingName, now: MonotonicTime) {
        pauses.failed(address, group, now: now)
    }

    package mutating func succeeded(_ address: String, _ group: BindingName) { pauses.succeeded(address, group) }

    /// When the next try may be; `.min` where nothing stands against it.
    package func pauseEnds(_ address: String, _ group: BindingName) -> MonotonicTime { pauses.end(address, group) }
}
