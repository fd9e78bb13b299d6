import Testing

@testable import KiteQCore

extension GroupIndex {
    static var first: GroupIndex { GroupIndex(value: 0) }
}

extension DeliveryHarness {
    /// Of the groups that are known.
    var names: Set<String> { Set(machine.groups.known.map(\.name)) }
}

@Suite struct GroupTableTests {
    private func group(_ name: String) -> DeliveryGroup {
        DeliveryGroup(name: name, bucket: TokenBucket(rate: 1), watermark: 1, shards: [DeliveryGroup.Shard()])
    }

    @Test func aGroupIsFoundByTheBytesOfItsNameUntilItIsForgotten() {
        var table = GroupTable()
        let (composed, decomposed) = ("caf\u{E9}", "cafe\u{301}")
        let (first, second) = (table.insert(group(composed)), table.insert(group(decomposed)))
        #expect(first != second && table.index(of: composed) == first && table.index(of: decomposed) == second)
        for (name, index) in [(composed, first), (composed, first), (decomposed, second)] {
            #expect(table.find(name) == index)
        }
        table.forget(second)
        #expect(table.find(decomposed) == nil)
        #expect(table.index(of: decomposed) == nil)
        #expect(table.known.map(\.name) == [composed] && Array(table.places) == [first, second])
        table[first].shards[0].start(.live)
        table[second].shards[0].start(.live)
        let epoch = table[second].shards[0].epoch
        #expect(table.insert(group("next")) == second, "places are used again")
        #expect(table.count == 2 && table[second].shards[0].epoch == epoch)
        #expect(table.find("next") == second)
    }
}
