import KiteQWire
import NIOCore
import SeededRandom

/// Random protobuf, mostly right: fields of the given numbers and of others, repeated, nested, of wrong types, broken.
struct FuzzBytes {
    var random: SplitMix64

    init(seed: UInt64) {
        random = SplitMix64(seed: seed)
    }

    enum Kind {
        case number
        case text
        /// Repeated numbers of 4 bytes, packed or one by one.
        case fixed
        case message([Int: Kind])
    }

    static let entry: [Int: Kind] = [1: .text, 2: .text]
    static let header: [Int: Kind] = [
        1: .text, 2: .text, 3: .text, 4: .number, 5: .number, 6: .text, 7: .number, 8: .number, 9: .message(entry),
        10: .number, 11: .number,
    ]
    static let message: [Int: Kind] = [1: .message(header), 2: .text]
    static let transaction: [Int: Kind] = [1: .message(header), 2: .number, 3: .text]
    static let deliverAck: [Int: Kind] = [1: .text, 2: .text, 3: .text, 4: .text, 5: .number, 6: .text]
    static let storeAck: [Int: Kind] = [1: .text, 2: .number, 3: .text]
    static let connAuth: [Int: Kind] = [1: .number, 2: .text, 15: .number, 16: .number]
    static let connMeta: [Int: Kind] = [1: .text, 2: .text, 3: .number, 15: .number, 16: .number]
    static let deliverExtend: [Int: Kind] = [1: .fixed]
    static let heartBeat: [Int: Kind] = [1: .number]

    /// A body of these fields. Most have all of them; a fifth is damaged afterwards.
    mutating func body(_ fields: [Int: Kind]) -> [UInt8] {
        var bytes = message(fields)
        if random.once(in: 5) { damage(&bytes) }
        return bytes
    }

    private mutating func message(_ fields: [Int: Kind]) -> [UInt8] {
        var bytes: [UInt8] = []
        for number in fields.keys.sorted() where !random.once(in: 40) {
            bytes += field(number, fields[number])
        }
        while random.once(in: 3) {
            let number = random.once(in: 2) ? Int.random(in: 1...20, using: &random) : unusualNumber()
            bytes += field(number, fields[number])
        }
        return bytes
    }

    private mutating func unusualNumber() -> Int {
        [15, 16, 2047, 2048, 19_000, (1 << 29) - 1, 0].randomElement(using: &random) ?? 15
    }

    private mutating func field(_ number: Int, _ kind: Kind?) -> [UInt8] {
        guard let kind, !random.once(in: 40) else { return unknown(number, depth: 0) }
        switch kind {
        case .number:
            return tag(number, 0) + varint(interesting())
        case .text:
            return tag(number, 2) + lengthened(text())
        case .fixed:
            if random.once(in: 3) { return tag(number, 5) + bytes(4) }
            let odd = random.once(in: 20) ? Int.random(in: 1...3, using: &random) : 0
            return tag(number, 2) + lengthened(bytes(4 * Int.random(in: 0...9, using: &random) + odd))
        case .message(let fields):
            return tag(number, 2) + lengthened(message(fields))
        }
    }

    private mutating func unknown(_ number: Int, depth: Int) -> [UInt8] {
        switch Int.random(in: 0...11, using: &random) {
        case 0...2: return tag(number, 0) + varint(interesting())
        case 3...4: return tag(number, 1) + bytes(8)
        case 5...6: return tag(number, 2) + lengthened(bytes(Int.random(in: 0...5, using: &random)))
        case 7...8: return tag(number, 5) + bytes(4)
        case 9...10 where depth < 4:
            let inner = random.once(in: 3) ? [] : unknown(Int.random(in: 1...20, using: &random), depth: depth + 1)
            let end = random.once(in: 15) ? number + 1 : number
            return tag(number, 3) + inner + tag(end, 4)
        default: return tag(number, Int.random(in: 0...7, using: &random))
        }
    }

    private mutating func tag(_ number: Int, _ type: Int) -> [UInt8] {
        varint(UInt64(number << 3 | type))
    }

    private mutating func lengthened(_ bytes: [UInt8]) -> [UInt8] {
        var length = UInt64(bytes.count)
        if random.once(in: 60) { length = random.once(in: 2) ? length &+ 1 : interesting() }
        return varint(length) + bytes
    }

    /// Sometimes longer than needed, which is allowed, or too long, which is not.
    private mutating func varint(_ value: UInt64) -> [UInt8] {
        var (bytes, rest) = ([UInt8](), value)
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
        if random.once(in: 60) {
            bytes[bytes.count - 1] |= 0x80
            bytes += Array(repeating: 0x80, count: Int.random(in: 0...9, using: &random)) + [0]
        }
        return bytes
    }

    private mutating func interesting() -> UInt64 {
        switch Int.random(in: 0...5, using: &random) {
        case 0: 0
        case 1: 1
        case 2: .max
        case 3: UInt64(1) << UInt64.random(in: 0...63, using: &random)
        case 4: UInt64.random(in: 0...300, using: &random)
        default: random.next()
        }
    }

    private mutating func text() -> [UInt8] {
        let samples = [
            "", "a", "trade", "0123456789abcdef0123456789abcdef", "风筝", "é", "👩‍👩‍👧", "\0", "pay-succ-long-name",
        ]
        var text = Array((samples.randomElement(using: &random) ?? "").utf8)
        if random.once(in: 60) { damage(&text) }
        return text
    }

    private mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
    }

    /// Flips, removes, doubles or cuts off bytes.
    mutating func damage(_ bytes: inout [UInt8]) {
        repeat {
            guard !bytes.isEmpty else { return }
            let place = Int.random(in: bytes.indices, using: &random)
            switch Int.random(in: 0...4, using: &random) {
            case 0: bytes[place] ^= UInt8(1) << UInt8.random(in: 0...7, using: &random)
            case 1: bytes[place] = UInt8.random(in: 0...255, using: &random)
            case 2: bytes.remove(at: place)
            case 3: bytes.insert(bytes[place], at: place)
            default: bytes.removeSubrange(place...)
            }
        } while random.once(in: 2)
    }
}
