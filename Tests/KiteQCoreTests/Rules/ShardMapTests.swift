import SeededRandom
import Testing

@testable import KiteQCore

@Suite struct ShardMapTests {
    /// Taken from zlib's crc32 and MariaDB's `CRC32(UNHEX(…)) & 255`: stored data depends on them.
    @Test(arguments: [
        ("00000000000000000000000000000000", 85), ("ffffffffffffffffffffffffffffffff", 26),
        ("0123456789abcdef0123456789abcdef", 40), ("f23047c7b5634e09a71d088e060fae9c", 182),
        ("00000000000000000000000000000001", 195), ("01000000000000000000000000000000", 196),
    ])
    func slotsNeverChange(_ id: String, _ slot: Int) throws {
        #expect(ShardMap.slot(of: try #require(MessageID(id))) == slot)
    }

    @Test func slotIsTheLastByteOfTheCRC() {
        var generator = SplitMix64(seed: 3)
        for _ in 0..<5_000 {
            let id = MessageID.random(using: &generator)
            var crc = UInt32.max
            id.withBytes { bytes in
                for byte in bytes {
                    crc ^= UInt32(byte)
                    for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
                }
            }
            #expect(ShardMap.slot(of: id) == Int(~crc & 255))
        }
    }

    /// Kinds of ids, the n-th of each.
    enum IDs: String, CaseIterable {
        case random, counter, counterInHighHalf, timeAndRandom, uuid1, decimalDigits, twiceTheSame

        func id(_ n: UInt64, _ generator: inout SplitMix64) -> MessageID {
            switch self {
            case .random: .random(using: &generator)
            case .counter: MessageID(high: 0, low: n)
            case .counterInHighHalf: MessageID(high: n, low: 42)
            case .timeAndRandom:
                MessageID(
                    high: (1_795_219_251_000 + n / 10) << 16 | 0x7000 | generator.next() & 0xFFF, low: generator.next())
            case .uuid1: MessageID(high: 0x9FC3_A7B0_1D2E_11EF + n << 32, low: 0x8A01_0242_AC12_0002)
            case .decimalDigits: MessageID(String(repeating: "0", count: 24) + String(n + 10_000_000)) ?? .random()
            case .twiceTheSame: MessageID(high: n, low: n)
            }
        }
    }

    @Test(arguments: IDs.allCases) func everyKindOfIDIsSpread(_ kind: IDs) {
        var generator = SplitMix64(seed: 4)
        let count: UInt64 = 256 * 400
        var slots = [Int](repeating: 0, count: 256)
        var shards = [[Int]](repeating: [], count: 17)
        for n in 2...16 { shards[n] = [Int](repeating: 0, count: n) }
        let maps = (1...16).map { ShardMap(shards: $0) }
        for n in 0..<count {
            let id = kind.id(n, &generator)
            slots[ShardMap.slot(of: id)] += 1
            for n in 2...16 { shards[n][maps[n - 1].shard(of: id)] += 1 }
        }
        // Six standard deviations of a random spread: 400 ± 120.
        #expect(slots.allSatisfy { (280...520).contains($0) }, "\(slots.min() ?? 0)…\(slots.max() ?? 0)")
        for n in 2...16 {
            // Slots are dealt unevenly by one, random ones deviate by less than 3 % here.
            let fair = Double(count) / 256
            for (shard, got) in shards[n].enumerated() {
                let slots = Double(maps[n - 1].slots.count { Int($0) == shard })
                #expect(abs(Double(got) - fair * slots) < fair * slots * 0.06, "shard \(shard) of \(n)")
            }
        }
    }

    @Test func everyNumberOfShardsIsEven() {
        for count in 1...256 {
            let map = ShardMap(shards: count)
            #expect(map.shardCount == count)
            let slots = (0..<count).map { shard in map.slots.count { Int($0) == shard } }
            #expect(slots.min() == 256 / count)
            #expect(slots.max() == (255 + count) / count)
        }
    }

    @Test func doublingTheShardsMovesHalf() {
        for count in [1, 2, 4, 8, 64, 128] {
            let (before, after) = (ShardMap(shards: count), ShardMap(shards: count * 2))
            #expect(zip(before.slots, after.slots).count { $0 != $1 } == 128)
        }
    }

    @Test func looksUpTheSlotsShard() throws {
        var generator = SplitMix64(seed: 5)
        let slots = (0..<256).map { _ in Int.random(in: 0..<7, using: &generator) }
        let map = try ShardMap(validating: slots, shards: 7)
        for _ in 0..<1_000 {
            let id = MessageID.random(using: &generator)
            #expect(map.shard(of: id) == slots[ShardMap.slot(of: id)])
        }
        #expect(ShardMap(slots: slots.map { UInt8($0) }) == map)
    }

    @Test(
        arguments: [
            ([], nil, "256 slots"), (Array(repeating: 0, count: 255), nil, "has 255"),
            (Array(repeating: 0, count: 257), nil, "has 257"),
            (Array(repeating: 0, count: 255) + [-1], nil, "slot 255 is in shard -1"),
            (Array(repeating: 0, count: 255) + [256], nil, "1 to 256 shards, not 257"),
            (Array(repeating: 0, count: 255) + [Int.max - 1], nil, "1 to 256 shards"),
            (Array(repeating: 0, count: 255) + [2], nil, "no slot is in shard 1"),
            (Array(repeating: 1, count: 256), nil, "no slot is in shard 0"),
            (Array(repeating: 0, count: 255) + [2], 2, "slot 255 is in shard 2, but the shards are 0 to 1"),
            (Array(repeating: 0, count: 256), 0, "not 0"), (Array(repeating: 0, count: 256), 257, "not 257"),
            (Array(repeating: 0, count: 256), -1, "not -1"),
        ] as [([Int], Int?, String)])
    func refusesWhatIsNoMap(_ slots: [Int], _ shards: Int?, _ sentence: String) {
        let error = #expect(throws: InvalidRule.self) { try ShardMap(validating: slots, shards: shards) }
        #expect(error?.message.contains(sentence) == true, "\(error?.message ?? "nothing")")
    }

    @Test func refusesStoredSlotsWithAGap() {
        #expect(ShardMap(slots: []) == nil)
        #expect(ShardMap(slots: Array(repeating: 1, count: 256)) == nil)
        #expect(ShardMap(slots: Array(0...255))?.shardCount == 256)
    }

    @Test func aShardMayBeEmptyIfItsNumberIsGiven() throws {
        let map = try ShardMap(validating: Array(repeating: 1, count: 256), shards: 3)
        #expect(map.shardCount == 3)
    }

    @Test func saysHowItDiffersFromWhatIsStored() throws {
        let map = ShardMap(shards: 4)
        #expect(map.difference(from: ShardMap(shards: 4)) == nil)
        #expect(map.difference(from: ShardMap(shards: 2)) == "4 shards are configured, 2 are stored")
        var slots = map.slots.map { Int($0) }
        slots[17] = 3
        #expect(
            map.difference(from: try ShardMap(validating: slots))
                == "slot 17 is configured in shard 1, and stored in shard 3")
        slots[200] = 1
        #expect(map.difference(from: try ShardMap(validating: slots))?.hasSuffix(", and 1 more differ") == true)
    }
}
