import SeededRandom
import Testing

@testable import KiteQCore

@Suite struct MessageIDTests {
    @Test func readsDigitsOfEitherCase() throws {
        let lower = try #require(MessageID("0123456789abcdef0f1e2d3c4b5a6978"))
        #expect(lower.high == 0x0123_4567_89AB_CDEF)
        #expect(lower.low == 0x0F1E_2D3C_4B5A_6978)
        #expect(MessageID("0123456789ABCDEF0F1E2D3C4B5A6978") == lower)
        #expect(MessageID("0123456789aBcDeF0f1E2d3C4b5A6978"[...]) == lower)
        #expect(lower.description == "0123456789abcdef0f1e2d3c4b5a6978")
    }

    @Test(arguments: [
        "", "0", String(repeating: "0", count: 31), String(repeating: "0", count: 33),
        "01234567-89ab-cdef-0f1e-2d3c4b5a6978", " 0123456789abcdef0f1e2d3c4b5a697", "0123456789abcdef0f1e2d3c4b5a697\n",
        "+123456789abcdef0f1e2d3c4b5a6978", String(repeating: "é", count: 16), String(repeating: "0", count: 100_000),
    ])
    func refusesAnythingElse(_ text: String) {
        #expect(MessageID(text) == nil)
    }

    @Test func everyByteAtEveryPlace() {
        for place in 0..<32 {
            for byte in UInt8.min...UInt8.max {
                var digits = [UInt8](repeating: UInt8(ascii: "0"), count: 32)
                digits[place] = byte
                let value = Character(Unicode.Scalar(byte)).hexDigitValue
                let id = digits.withUnsafeBytes { MessageID(utf8: $0) }
                guard byte < 0x80, let value else {
                    #expect(id == nil, "byte \(byte) at \(place)")
                    continue
                }
                let word = UInt64(value) << UInt64(60 - place % 16 * 4)
                #expect(id == MessageID(high: place < 16 ? word : 0, low: place < 16 ? 0 : word))
            }
        }
    }

    @Test func aPartOfATextIsReadWithoutTheRest() {
        let text = "x0123456789abcdef0f1e2d3c4b5a6978y"
        #expect(MessageID(text.dropFirst().dropLast()) == MessageID("0123456789abcdef0f1e2d3c4b5a6978"))
        #expect(MessageID(text.dropFirst()) == nil && MessageID(text.dropLast()) == nil)
    }

    @Test func textAndBytesComeBack() throws {
        var generator = SplitMix64(seed: 1)
        for _ in 0..<10_000 {
            let id = MessageID.random(using: &generator)
            #expect(MessageID(id.description) == id)
            #expect(MessageID(id.description.uppercased()) == id)
            #expect(id.withBytes { MessageID(bytes: $0) } == id)
            var bytes = [UInt8](repeating: 0xEE, count: 18)
            bytes.withUnsafeMutableBytes { id.write(to: UnsafeMutableRawBufferPointer(rebasing: $0[1...])) }
            #expect(bytes[0] == 0xEE && bytes[17] == 0xEE)
            #expect(id.withBytes { Array($0) } == Array(bytes[1...16]))
        }
    }

    @Test(arguments: [0, 1, 15, 17, 32]) func onlySixteenBytes(_ count: Int) {
        #expect([UInt8](repeating: 1, count: count).withUnsafeBytes { MessageID(bytes: $0) } == nil)
    }

    @Test func isOrderedAsItsBytes() {
        var generator = SplitMix64(seed: 2)
        for round in 0..<10_000 {
            let a = MessageID.random(using: &generator)
            let other = MessageID.random(using: &generator)
            let b = round.isMultiple(of: 2) ? other : MessageID(high: a.high, low: other.low)
            let bytesRise = a.withBytes { a in b.withBytes { b in a.lexicographicallyPrecedes(b) } }
            #expect((a < b) == bytesRise)
            #expect((a < b) == (a.description < b.description))
            #expect(!(a < a))
        }
    }

    @Test func idsThatDifferInOneHalfHashApart() {
        let hashes = (0..<1_000 as Range<UInt64>).flatMap {
            [MessageID(high: $0, low: 7).hashValue, MessageID(high: 7, low: $0 + 1_000).hashValue]
        }
        #expect(Set(hashes).count == 2_000)
    }

    @Test func randomIDsDiffer() {
        #expect(Set((0..<1_000).map { _ in MessageID.random() }).count == 1_000)
    }
}
