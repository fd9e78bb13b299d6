import Testing

@testable import KiteQCore

@Suite struct TopicSettingsTests {
    private func settings(maxBody: Int) -> TopicSettings {
        var settings = TopicSettings()
        settings.publishing.maxBody = maxBody
        return settings
    }

    /// Spellings that `String` takes for equal are two topics, here as everywhere.
    @Test(arguments: [1, 8, 9, 100]) func eachTopicHasItsOwnByteForByte(count: Int) {
        let (composed, decomposed) = ("caf\u{E9}", "cafe\u{301}")
        let own = [BindingName(composed): settings(maxBody: 1), BindingName(decomposed): settings(maxBody: 2)]
        let catalog = TopicCatalog(defaults: settings(maxBody: 3), own: own)
        #expect(catalog[BindingName("feed")].publishing.maxBody == 3)
        let served = ServedTopics((0..<count).map { "topic-\($0)" } + [composed], catalog)
        #expect(served[composed]?.maxBody == 1 && served[decomposed] == nil)
        #expect(served["topic-\(count - 1)"]?.maxBody == 3 && served["topic-\(count)"] == nil)
    }

    @Test func aBodyAboveTheTopicsLimitIsRefused() {
        let bounds = settings(maxBody: 10).publishing
        #expect(bounds.refusal(ofBody: 10, topic: "trade") == nil)
        let refused = "the body has 11 bytes, and topic trade takes at most 10 (topics.max_body)"
        #expect(bounds.refusal(ofBody: 11, topic: "trade") == refused)
        #expect(PublishBounds().refusal(ofBody: .max, topic: "trade") == nil)
    }

    @Test func theLongestWaitIsThatOfAnyTopic() throws {
        var slow = TopicSettings()
        slow.redelivery = try RedeliverySchedule.validated(immediate: 1, steps: [], beyond: 3_600_000)
        #expect(TopicCatalog().longestWait == 160_000)
        #expect(TopicCatalog(own: [BindingName("trade"): slow]).longestWait == 3_600_000)
        #expect(TopicCatalog(defaults: slow, own: [BindingName("trade"): TopicSettings()]).longestWait == 3_600_000)
    }

    /// Two topics, one group: a failed delivery waits for as long as its topic says.
    @Test func aFailedDeliveryWaitsAsItsTopicSays() throws {
        var slow = TopicSettings()
        slow.redelivery = try RedeliverySchedule.validated(immediate: 1, steps: [], beyond: 60_000)
        let catalog = TopicCatalog(own: [BindingName("slow"): slow])
        var h = DeliveryHarness(topics: ["slow", "trade"], catalog: catalog)
        let client = h.liveClient("a")
        for (seq, topic) in [(7, "slow"), (8, "trade"), (9, "elsewhere")] as [(Int64, String)] {
            h.accept(seq, DeliveryHarness.route("a"), DeliveryHarness.message(topic: topic))
        }
        let first = h.deliveries()
        #expect(first.count == 3)
        for delivery in first {
            h.machine.acknowledge(
                [.init(opaque: delivery.opaque, isSuccess: false, feedback: "no")], client: client, &h.moment)
        }
        // The protocol's schedule has three attempts at once; the topic's own has one.
        #expect(Set(h.deliveries().map(\.message.topic)) == ["trade", "elsewhere"])
        let written = h.settlements().flatMap(\.pending)
        #expect(written.map(\.dueAt) == [h.wall + 60_000])
    }
}
