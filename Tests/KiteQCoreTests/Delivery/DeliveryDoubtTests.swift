import NIOCore
import Testing

@testable import KiteQCore

/// A client that closes at what is too large for it: the broker says what it looks like.
@Suite struct DeliveryDoubtTests {
    private let route = DeliveryHarness.route("a")
    private let large = ByteBuffer(repeating: 0x61, count: 40_000)

    /// Of a large message and a small one, each in flight alone.
    private func errors(isDoubtful: Bool, _ end: (inout DeliveryHarness, DeliveryClientID) -> Void) -> [String?] {
        [large, ByteBuffer(string: "small")].flatMap { error(of: $0, isDoubtful: isDoubtful, end) }
    }

    private func error(
        of body: ByteBuffer, isDoubtful: Bool, _ end: (inout DeliveryHarness, DeliveryClientID) -> Void
    ) -> [String?] {
        // The first failure is written.
        var settings = TopicSettings()
        settings.redelivery = RedeliverySchedule(immediate: 1, steps: [], beyond: 60_000) ?? RedeliverySchedule()
        var h = DeliveryHarness(catalog: TopicCatalog(defaults: settings))
        let client = h.liveClient("a")
        if isDoubtful { h.machine.doubt(client) }
        h.accept(7, route, DeliveryHarness.message(body: body))
        #expect(h.deliveries().count == 1)
        end(&h, client)
        #expect((h.machine.groupTraffic["a"]?.lastDoubt != nil) == (isDoubtful && body == large))
        return h.settlements().flatMap(\.pending).map(\.lastError)
    }

    @Test func aConnectionThatWasLostUponALargeMessageIsExplained() {
        let plain = errors(isDoubtful: false) { $0.disconnect($1) }
        #expect(plain == ["the connection was lost", "the connection was lost"])
        let doubtful = errors(isDoubtful: true) { $0.disconnect($1) }
        #expect(doubtful.first??.contains("Java client takes no more than 32 KiB: see max_body") == true, "\(doubtful)")
        #expect(doubtful.last == "the connection was lost", "the others are not to blame")
    }

    @Test func soIsOneThatIsNotAnswered() {
        let errors = errors(isDoubtful: true) { h, _ in h.pass(6_000_000_000) }
        #expect(errors.contains { $0?.hasPrefix("no DELIVER_ACK in time; the message takes 40") == true }, "\(errors)")
        #expect(errors.contains("no DELIVER_ACK in time"))
    }
}
