import NIOCore
import Testing

@testable import KiteQBroker

@Suite struct RefusalsTests {
    private func peer(_ address: String) throws -> Peer { Peer(try SocketAddress(ipAddress: address, port: 4_711)) }

    @Test func anAddressIsALineAMinuteAndAllIsCounted() throws {
        let log = CapturedLog()
        let refusals = Refusals(logger: log.logger)
        for _ in 0..<1_000 { refusals.refuse(.plainText, try peer("10.0.0.1"), "first") }
        refusals.refuse(.plainText, try peer("10.0.0.2"), "second")
        refusals.refuse(.credentials, try peer("10.0.0.1"), "third")
        #expect(log.lines.count == 3)
        #expect(log.lines[0].contains("refusing a connection: first") && log.lines[0].contains("10.0.0.1:4711"))
        #expect(refusals.count(.plainText) == 1_001)
        #expect(refusals.connections == 1_002)
        refusals.refuse(.publish, try peer("10.0.0.1"), "fourth")
        #expect(refusals.connections == 1_002, "its connection is kept")
        #expect(refusals.counts["plain_text"] == 1_001 && refusals.counts["publish"] == 1)
    }

    /// A client that was let in does not hide what another one at its address does.
    @Test func aGroupsLinesAreItsOwn() throws {
        let log = CapturedLog()
        let refusals = Refusals(logger: log.logger)
        for group in ["s-a", "s-b"] {
            for _ in 0..<500 { refusals.refuse(.malformed, try peer("10.0.0.1"), of: group, "unknown command") }
        }
        #expect(log.lines.count == 2)
        #expect(
            log.lines[1].contains(
                "closing a connection after a packet that cannot be understood: unknown command (499 more"))
        #expect(log.lines[1].contains("s-b"))
        #expect(refusals.count(.malformed) == 1_000 && refusals.connections == 0)
    }

    @Test func manyAddressesAreFewLines() throws {
        let log = CapturedLog()
        let refusals = Refusals(logger: log.logger)
        for number in 0..<5_000 { refusals.refuse(.plainText, try peer("10.1.\(number / 250).\(number % 250)"), "no") }
        #expect(log.lines.count == 20)
    }

    @Test(arguments: [
        ("10.0.0.1", "10.0.0.1"), ("::ffff:10.0.0.1", "10.0.0.1"), ("::1", "0000000000000000/64"),
        ("2001:db8:1:2:3:4:5:6", "20010db800010002/64"), ("2001:db8:1:2:ffff::1", "20010db800010002/64"),
    ])
    func whatCountsForOneAddress(text: String, address: String) throws {
        #expect(try peer(text).address == address)
    }
}
