import KiteQCore

/// What one broker has seen of a topic that it serves, since its start.
package struct TopicStatus: Sendable, Hashable {
    package var name: String
    /// Messages that were accepted: half ones and those that nobody is bound to included.
    package var published: Int
    /// Publishes that were refused, whoever's fault it was.
    package var refused: Int
    /// Of the published, those that nobody is bound to.
    package var unrouted: Int
    /// Half messages that were committed at this broker.
    package var committed: Int
    /// Deliveries, once for each group and attempt, and what became of them.
    package var delivered: Int
    package var acknowledged: Int
    package var refusedByConsumers: Int
    package var timedOut: Int
    package var deadLettered: Int

    init(name: String, _ traffic: TopicTraffic, _ publishes: TopicPublishes.Counts?) {
        self.name = name
        let (committed, half) = (publishes?.committed.count ?? 0, publishes?.half.count ?? 0)
        unrouted = publishes?.unrouted.count ?? 0
        // One that was committed here was counted as half where it was stored. The two sides are not read at one moment.
        published = max(0, traffic.published - committed) + half + unrouted
        refused = publishes?.refused.count ?? 0
        self.committed = committed + (publishes?.committedForNobody.count ?? 0)
        delivered = traffic.delivered
        acknowledged = traffic.acknowledged
        refusedByConsumers = traffic.refused
        timedOut = traffic.timedOut
        deadLettered = traffic.deadLettered
    }

    /// As the store keeps them over time.
    var counters: TopicCounters {
        TopicCounters(
            published: published, committed: committed, delivered: delivered, acknowledged: acknowledged,
            deadLettered: deadLettered)
    }
}
