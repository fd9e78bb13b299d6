import KiteQCore

/// What a checker must know of the load whose history it checks.
package struct CheckedLoad: Sendable, Hashable {
    package let seed: UInt64
    package var traits: LoadTraits
    package var brokers: Int
    /// How many databases messages are spread over.
    package let shards: Int
    /// How long a broker waits for the answer to a delivery, in 0.1 ms.
    package var deliveryTimeout: UInt32
    private let shardMap: ShardMap
    private let key: MessageKey

    /// How much later than the broker a consumer may have noted a begin, and how much earlier an end: 2 s.
    private static let transit: UInt32 = 20_000

    package init(
        seed: UInt64, traits: LoadTraits = [], brokers: Int, shards: Int = 2, deliveryTimeout: UInt32 = 60_000
    ) {
        self.seed = seed
        self.traits = traits
        self.brokers = brokers
        self.shards = shards
        shardMap = ShardMap(shards: shards)
        key = MessageKey(seed: seed)
        self.deliveryTimeout = deliveryTimeout
    }

    package func plan(of message: UInt32) -> MessagePlan { MessagePlan(seed: seed, number: message, traits: traits) }

    /// Which shard a message lies in.
    package func shard(of message: UInt32) -> Int { shardMap.shard(of: key.messageID(of: message)) }

    /// Whether the broker had given a delivery up when it came again at `time`: handlers may be slow, this one has not told
    /// that it is at work, it has taken too long, and its success had not come yet. One that had come settles the message, where the
    /// broker was there to take it: it waits for no delivery that it has given up when it stops.
    func gaveUp(_ delivery: MessageHistory.Delivery, before time: UInt32, brokerStopped hasStopped: Bool) -> Bool {
        guard traits.contains(.slow), !Topology.tellsOfWork(consumer: delivery.consumer) else { return false }
        let isTooLong = UInt64(time) + UInt64(Self.transit) >= UInt64(delivery.start) + UInt64(deliveryTimeout)
        return isTooLong && hasStopped
            || isTooLong && delivery.end.map { UInt64($0) + UInt64(Self.transit) >= UInt64(time) } ?? true
    }
}
