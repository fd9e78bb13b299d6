import Testing

@testable import FaultHarness

@Suite struct TopologyTests {
    @Test func theLastBrokerServesLess() {
        let topology = Topology(brokers: 3, traits: .topics)
        #expect(topology.topics(ofBroker: 0) == Topology.topics && topology.topics(ofBroker: 2) == ["stock"])
        #expect(Topology(brokers: 3).topics(ofBroker: 2) == Topology.topics)
        #expect(Topology(brokers: 1, traits: .topics).topics(ofBroker: 0) == Topology.topics)
    }

    /// Who is connected to it alone does not publish what it would never take.
    @Test func othersPublishWhatItDoesNotServe() {
        let topology = Topology(brokers: 2, traits: .topics)
        #expect(topology.publisher(1, ofTopic: "trade") == 0 && topology.publisher(1, ofTopic: "stock") == 1)
        #expect(Topology(brokers: 2).publisher(1, ofTopic: "trade") == 1)
    }
}
