import Testing

@testable import KiteQCore

@Suite struct PatternBudgetTests {
    private func entry(_ group: String, _ text: String, _ work: Int) -> PatternBudget.Entry {
        .init(group: BindingName(group), text: BindingName(text), work: work)
    }

    private func names(_ entries: [PatternBudget.Entry], _ places: some Sequence<Int>) -> Set<String> {
        Set(places.map { "\(entries[$0].group.text)/\(entries[$0].text.text)" })
    }

    @Test func ofTooManyTheShortestStay() {
        let texts = (0..<250).map { BindingName("pay-\($0)") } + [BindingName("a")]
        let surplus = PatternBudget.surplus(texts + texts)
        #expect(surplus.count == 51 && !surplus.contains(BindingName("a")) && !surplus.contains(BindingName("pay-9")))
        #expect(surplus == PatternBudget.surplus(texts.shuffled()), "whatever their order")
        #expect(PatternBudget.surplus(texts.prefix(200)).isEmpty)
    }

    @Test func aGroupHasItsBound() {
        let entries = (0..<12).map { entry("greedy", "\($0 + 10)", 1_000) } + [entry("other", "x", 2_000)]
        let leftOut = PatternBudget.leftOut(entries)
        #expect(names(entries, leftOut.keys) == ["greedy/20", "greedy/21"])
        #expect(leftOut.values.allSatisfy { $0.contains("10000") })
        let cheap = entries + [entry("greedy", "cheap", 1)]
        #expect(
            names(cheap, PatternBudget.leftOut(cheap).keys) == ["greedy/19", "greedy/20", "greedy/21"],
            "the least work stays")
    }

    /// Who wants little gets it, however many want much.
    @Test func aTopicIsSharedOut() {
        var entries = (0..<10).flatMap { group in (0..<5).map { entry("greedy-\(group)", "\(group)-\($0)", 2_000) } }
        #expect(entries.reduce(0) { $0 + $1.work } == 2 * PatternBudget.workOfTopic)
        entries += (0..<100).map { entry("modest-\($0)", "modest-\($0)", 40) }
        let leftOut = PatternBudget.leftOut(entries)
        #expect(names(entries, leftOut.keys).allSatisfy { $0.hasPrefix("greedy") })
        let kept = entries.indices.filter { leftOut[$0] == nil }
        let work = kept.reduce(0) { $0 + entries[$1].work }
        #expect((40_000...PatternBudget.workOfTopic).contains(work))
        let shuffled = entries.shuffled()
        #expect(names(shuffled, PatternBudget.leftOut(shuffled).keys) == names(entries, leftOut.keys))
    }

    /// It is tried once for all.
    @Test func whatManyHaveCountsOnce() {
        let entries = (0..<10_000).map { entry("g\($0)", "^pay-(card|cash)", 90) }
        #expect(PatternBudget.leftOut(entries).isEmpty)
        #expect(!PatternBudget.leftOut((0..<10_000).map { entry("g\($0)", "\($0)", 90) }).isEmpty)
    }

    /// Whoever shares an expression with others that lose it does not bear more for it than there is.
    @Test func theWholeIsBoundedWhateverIsShared() {
        var entries: [PatternBudget.Entry] = []
        for text in 0..<10 {
            entries += (0..<10).map { entry("dropper-\(text)-\($0)", "shared-\(text)", 2_000) }
            for dropper in 0..<9 {
                entries += (0..<20).map { entry("dropper-\(text)-\(dropper)", "own-\(text)-\(dropper)-\($0)", 100) }
            }
        }
        let leftOut = PatternBudget.leftOut(entries)
        let kept = Set(entries.indices.lazy.filter { leftOut[$0] == nil }.map { entries[$0].text })
        let work = Dictionary(entries.map { ($0.text, $0.work) }, uniquingKeysWith: { first, _ in first })
        #expect(kept.reduce(0) { $0 + work[$1]! } <= PatternBudget.workOfTopic)
        #expect(entries.indices.contains { entries[$0].work == 2_000 && leftOut[$0] == nil }, "some of both kinds")
        #expect(kept.count > 100)
    }

    @Test(arguments: [
        (100, [10, 20, 30], Int.max), (100, [], .max), (60, [10, 20, 30], .max), (59, [10, 20, 30], 29),
        (30, [100, 100, 100], 10), (30, [4, 100, 100], 13), (0, [1], 0),
    ]) func aPartIsFair(whole: Int, wishes: [Int], part: Int) {
        #expect(PatternBudget.fairPart(of: whole, among: wishes) == part)
    }
}
