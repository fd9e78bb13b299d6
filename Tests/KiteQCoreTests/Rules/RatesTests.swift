import Testing

@testable import KiteQCore

@Suite struct RatesTests {
    private static let second: MonotonicTime = 1_000_000_000
    private static let topic = BindingName("trade")

    private func sample(_ published: Int) -> Rates.Sample {
        Rates.Sample(total: .init(published: published), topics: [Self.topic: .init(delivered: published)])
    }

    @Test func oneSampleSaysNothing() {
        var rates = Rates()
        #expect(rates.total == Rates.Spans() && rates.topics.isEmpty)
        rates.add(sample(1_000), now: 5)
        #expect(rates.total == Rates.Spans())
    }

    @Test func eachSpanHasItsOwnRate() {
        var rates = Rates()
        var published = 0
        for second in 0...180 {
            // 100 a second, and 200 in the last ten seconds.
            if second > 0 { published += second > 170 ? 200 : 100 }
            rates.add(sample(published), now: MonotonicTime(second) * Self.second)
        }
        #expect(rates.total.tenSeconds.published == 200)
        #expect((110...120).contains(rates.total.minute.published))
        #expect(rates.topics[Self.topic]?.tenSeconds.delivered == 200)
        #expect(rates.groups.isEmpty)
    }

    @Test func timeCountsAsItWasNotAsItShouldHaveBeen() {
        var rates = Rates()
        rates.add(sample(0), now: 0)
        rates.add(sample(100), now: 4 * Self.second)
        #expect(rates.total.tenSeconds.published == 25 && rates.total.minute.published == 25)
    }

    @Test func whatBeganAnewCountsFromNothing() {
        var rates = Rates()
        rates.add(sample(1_000), now: 0)
        rates.add(sample(50), now: 10 * Self.second)
        #expect(rates.total.tenSeconds.published == 5)
        rates.add(Rates.Sample(groups: [BindingName("new"): .init(acknowledged: 30)]), now: 20 * Self.second)
        #expect(rates.groups[BindingName("new")]?.tenSeconds.acknowledged == 3)
        #expect(rates.topics.isEmpty, "it is no more")
    }

    @Test func aPauseOfHoursLeavesOneOldSample() {
        var rates = Rates()
        for second in 0..<100 { rates.add(sample(second), now: MonotonicTime(second) * Self.second) }
        rates.add(sample(100), now: 10_099 * Self.second)
        #expect(rates.total.tenSeconds.published == 1.0 / 10_000)
    }
}
