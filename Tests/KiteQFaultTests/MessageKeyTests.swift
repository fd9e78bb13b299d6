import Testing

@testable import FaultHarness

@Suite struct MessageKeyTests {
    @Test func numbersAndIDsTellEachOther() {
        let key = MessageKey(seed: 7)
        for number in [0, 1, 77, UInt32.max] { #expect(key.number(of: key.id(of: number)) == number) }
        #expect(key.number(of: MessageKey(seed: 8).id(of: 1)) == nil)
        #expect(key.number(of: "not an id") == nil)
    }
}
