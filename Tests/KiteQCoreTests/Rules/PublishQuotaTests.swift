import KiteQCore
import Testing

@Suite struct PublishQuotaTests {
    private static let second: MonotonicTime = 1_000_000_000

    private func taken(
        _ quota: inout PublishQuota, of count: Int, bytes: Int = 1, within limits: GroupLimits, at now: MonotonicTime
    ) -> Int {
        var taken = 0
        for _ in 0..<count where quota.take(bytes: bytes, within: limits, now: now) == nil { taken += 1 }
        return taken
    }

    @Test func aSecondBringsTheRateAndAtFirstTheBurst() {
        var quota = PublishQuota()
        let limits = GroupLimits(rate: 100)
        let (first, next) = (
            taken(&quota, of: 1_000, within: limits, at: 1),
            taken(&quota, of: 1_000, within: limits, at: 1 + Self.second / 4)
        )
        #expect(first == 50 && next == 25)
        let excess = quota.take(bytes: 1, within: limits, now: 1 + Self.second / 4)
        #expect(excess == .rate(100))
    }

    @Test func whatIsOverItsBytesTakesNoMessage() {
        var quota = PublishQuota()
        let limits = GroupLimits(rate: 4, bytes: 1)
        let large = quota.take(bytes: PublishQuota.largestMessage, within: limits, now: 1)
        #expect(large == nil, "a message of the largest size comes through")
        let excess = (0..<100).map { _ in quota.take(bytes: 2, within: limits, now: 1) }
        #expect(excess.allSatisfy { $0 == .bytes(1) })
        let later = quota.take(bytes: 2, within: limits, now: 1 + 2 * Self.second)
        #expect(later == nil)
    }

    @Test func aLimitThatIsChangedGivesNothingAway() {
        var quota = PublishQuota()
        let before = taken(&quota, of: 1_000, within: GroupLimits(rate: 100), at: 1)
        let after = taken(&quota, of: 1_000, within: GroupLimits(rate: 1_000), at: 1)
        let without = taken(&quota, of: 1_000, within: GroupLimits(), at: 1)
        #expect(before == 50 && after == 0 && without == 1_000)
    }

    @Test func itIsFullWhenNothingOfItIsMissing() {
        var quota = PublishQuota()
        let isNewFull = quota.isFull(now: 1)
        _ = quota.take(bytes: 10, within: GroupLimits(rate: 2, bytes: 10), now: 1)
        let (soon, later) = (quota.isFull(now: 1 + Self.second / 4), quota.isFull(now: 1 + Self.second))
        #expect(isNewFull && !soon && later)
    }

    @Test func aGroupsOwnLimitsGoBeforeThoseOfAll() {
        let all = GroupLimits(connections: 1, rate: 2, bytes: 3, halfMessages: 4, backlog: 5)
        #expect(OwnGroupLimits().or(all) == all)
        #expect(
            OwnGroupLimits(rate: 0, backlog: 9).or(all)
                == GroupLimits(connections: 1, rate: 0, bytes: 3, halfMessages: 4, backlog: 9))
    }
}
