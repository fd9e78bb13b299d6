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

    private struct Place: Hashable {
        var address: String
        var group: BindingName
    }

    private struct Failures {
        var count: Int
        var last: MonotonicTime
    }

    /// What waits from one address.
    private struct Line {
        var cases: [BindingName: Deque<Case>] = [:]
        var turns = Deque<BindingName>()
        var count = 0
    }

    /// Failures in a row before one has to wait: whoever is mistaken notices by then.
    private static var free: Int { 2 }
    private static var firstPause: MonotonicTime { 250_000_000 }
    /// Shorter than a client has to be let in.
    private static var longestPause: MonotonicTime { 8_000_000_000 }
    /// A failure is held against nobody for longer.
    private static var memory: MonotonicTime { 600_000_000_000 }
    private static var rememberedPlaces: Int { 10_000 }

    private let limit: Int
    private let limitOfAddress: Int
    private var lines: [String: Line] = [:]
    private var turns = Deque<String>()
    private var failures: [Place: Failures] = [:]
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
            let mayTry = pauseEnds(Place(address: address, group: group))
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
        if failures.count >= Self.rememberedPlaces { forget(now: now) }
        let place = Place(address: address, group: group)
        let before = failures[place].map { now - $0.last < Self.memory ? $0.count : 0 } ?? 0
        failures[place] = Failures(count: before + 1, last: now)
    }

    package mutating func succeeded(_ address: String, _ group: BindingName) {
        failures[Place(address: address, group: group)] = nil
    }

    /// When the next try may be.
    private func pauseEnds(_ place: Place) -> MonotonicTime {
        guard let failures = failures[place], failures.count > Self.free else { return .min }
        let doublings = min(failures.count - Self.free - 1, 10)
        return failures.last + min(Self.firstPause << doublings, Self.longestPause)
    }

    /// Those of long ago; all, where there are too many: who fails from so many places is not stopped by pauses.
    private mutating func forget(now: MonotonicTime) {
        failures = failures.filter { now - $0.value.last < Self.longestPause }
        if failures.count >= Self.rememberedPlaces { failures = [:] }
    }
}
