/// How long whoever failed again and again waits for the next try: by address, and within one by the name that was tried (a group's;
/// a token has none).
///
/// Two failures in a row are free, for whoever is mistaken notices by then; the third costs 250 ms, and each further one twice as
/// long, at most 8 s. Of the names that failed from one address a hundred are remembered, those first that failed most often: who
/// tries others in between does not make it forget the one that he guesses at.
package struct FailurePauses<Name: Hashable & Sendable>: Sendable {
    private struct Failures {
        var count: Int
        var last: MonotonicTime
    }

    private static var free: Int { 2 }
    private static var firstPause: MonotonicTime { 250_000_000 }
    /// Shorter than a client has to be let in.
    private static var longestPause: MonotonicTime { 8_000_000_000 }
    /// A failure is held against nobody for longer.
    private static var memory: MonotonicTime { 600_000_000_000 }
    private static var namesOfAddress: Int { 100 }
    private static var rememberedNames: Int { 10_000 }

    private var addresses: [String: [Name: Failures]] = [:]
    /// Names of all addresses.
    private var count = 0

    package init() {}

    package mutating func failed(_ address: String, _ name: Name, now: MonotonicTime) {
        if count >= Self.rememberedNames { forget(now: now) }
        let known = addresses[address]?[name]
        if known == nil {
            makeRoom(address)
            count += 1
        }
        let before = known.map { now - $0.last < Self.memory ? $0.count : 0 } ?? 0
        addresses[address, default: [:]][name] = Failures(count: before + 1, last: now)
    }

    package mutating func succeeded(_ address: String, _ name: Name) {
        guard addresses[address]?.removeValue(forKey: name) != nil else { return }
        count -= 1
        if addresses[address]?.isEmpty == true { addresses[address] = nil }
    }

    /// When the next try may be; `.min` where nothing stands against it.
    package func end(_ address: String, _ name: Name) -> MonotonicTime {
        guard let failures = addresses[address]?[name], failures.count > Self.free else { return .min }
        let doublings = min(failures.count - Self.free - 1, 10)
        return failures.last + min(Self.firstPause << doublings, Self.longestPause)
    }

    /// Forgets the name of an address that failed least often, of these the one of longest ago.
    private mutating func makeRoom(_ address: String) {
        guard let names = addresses[address], names.count >= Self.namesOfAddress,
            let least = names.min(by: { ($0.value.count, $0.value.last) < ($1.value.count, $1.value.last) })
        else { return }
        addresses[address]?[least.key] = nil
        count -= 1
    }

    /// Those of long ago; all, where there are too many: who fails from so many places is not stopped by pauses.
    private mutating func forget(now: MonotonicTime) {
        addresses = addresses.compactMapValues { names in
            let recent = names.filter { now - $0.value.last < Self.longestPause }
            return recent.isEmpty ? nil : recent
        }
        count = addresses.values.reduce(0) { $0 + $1.count }
        if count >= Self.rememberedNames { (addresses, count) = ([:], 0) }
    }
}
