import NIOCore
import Testing

@testable import KiteQCore

@Suite struct SlotTableTests {
    private func slot(_ seq: Int64, shard: Int = 0, owed: [DeliverySlot.Owed] = []) -> DeliverySlot {
        DeliverySlot(
            seq: seq, shard: shard, topic: 0, message: DeliveryHarness.message(), owed: owed, isTracked: false)
    }

    private func owed(_ group: Int, _ progress: DeliverySlot.Owed.Progress) -> DeliverySlot.Owed {
        DeliverySlot.Owed(group: GroupIndex(value: group), attempts: 0, isPersistent: true, progress: progress)
    }

    private func account(of group: Int, _ table: SlotTable) -> SlotTable.Account {
        table.account(of: GroupIndex(value: group))
    }

    private let bytes = DeliveryHarness.message().footprint

    @Test func aMessageIsFoundByItsShardAndSeqUntilItIsRemoved() {
        var table = SlotTable(shards: 2)
        let first = table.insert(slot(7))
        let other = table.insert(slot(7, shard: 1))
        let fly = table.insert(slot(0))
        #expect(table.ref(of: 7, 0) == first && table.ref(of: 7, 1) == other && table.ref(of: 0, 0) == nil)
        #expect(table.count == 3 && table.bytes == 3 * bytes && table.refs == [first, other, fly])
        table.remove(first)
        #expect(!table.contains(7, 0) && table.contains(7, 1) && !table.isCurrent(first) && table.isCurrent(other))
        let next = table.insert(slot(8))
        #expect(next.index == first.index && !table.isCurrent(first), "its place, and not it")
        #expect(table[next].seq == 8 && table.count == 3)
    }

    @Test func eachGroupIsAccountedWhatItIsOwedAndWorksOn() {
        var table = SlotTable(shards: 1)
        let ref = table.insert(slot(1, owed: [owed(0, .queued), owed(2, .left)]))
        func made(_ owed: Int, _ active: Int) -> SlotTable.Account { .init(owed: owed, bytes: active * bytes) }
        #expect(account(of: 0, table) == made(1, 1) && account(of: 1, table) == made(0, 0))
        #expect(account(of: 2, table) == made(1, 0) && account(of: 9, table) == made(0, 0))
        table.owe(owed(1, .held), ref)
        table.setProgress(.inFlight, 0, of: ref)
        table.setProgress(.queued, 1, of: ref)
        #expect((0...2).allSatisfy { account(of: $0, table) == made(1, 1) })
        table.setProgress(.left, 2, of: ref)
        table.removeLeft(of: ref)
        #expect(account(of: 1, table) == made(0, 0) && table[ref].owed.map(\.group.value) == [0, 2])
        table.addAttempt(1, of: ref)
        #expect(table.removeOwed(1, of: ref).attempts == 1)
        #expect(account(of: 2, table) == made(0, 0))
        table.remove(ref)
        #expect(account(of: 0, table) == made(0, 0) && table.bytes == 0)
    }

    @Test func aPlaceThatIsFreeKeepsNobodysBytes() {
        var table = SlotTable(shards: 1)
        let ref = table.insert(slot(1, owed: [owed(0, .queued)]))
        table.markTracked(ref)
        table.markPartial(ref)
        #expect(table[ref].isTracked && table[ref].isPartial)
        table.remove(ref)
        #expect(table[ref].message.body.readableBytes == 0 && table[ref].owed.isEmpty && table.refs.isEmpty)
        let next = table.insert(slot(2))
        #expect(!table[next].isTracked && !table[next].isPartial)
    }
}
