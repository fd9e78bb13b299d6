import KiteQBroker
import KiteQCore

/// By topic and by group. Topics are configured; of groups, whose names are the clients' choice, the busiest alone.
extension BrokerMetrics {
    static func topics(_ topics: [TopicStatus], to page: inout PrometheusText) {
        func family(_ name: String, _ help: String, _ value: (TopicStatus) -> Int) {
            page.split(name, .counter, help, by: "topic", topics.map { ($0.name, value($0)) })
        }
        family("kiteq_topic_published_total", "Messages of a topic that were accepted.", \.published)
        family("kiteq_topic_refused_total", "Publishes to a topic that were refused.", \.refused)
        family("kiteq_topic_unrouted_total", "Messages of a topic that nobody is bound to.", \.unrouted)
        family("kiteq_topic_committed_total", "Half messages of a topic that were committed.", \.committed)
        family("kiteq_topic_deliveries_total", "Deliveries of a topic, one for each group and attempt.", \.delivered)
        family("kiteq_topic_acknowledgements_total", "Deliveries of a topic that were acknowledged.", \.acknowledged)
        family("kiteq_topic_dead_letters_total", "Messages of a topic given up for a group.", \.deadLettered)
        page.family("kiteq_topic_failed_deliveries_total", .counter, "Attempts of a topic that failed, by why.")
        for topic in topics {
            for (reason, count) in [("refused", topic.refusedByConsumers), ("timeout", topic.timedOut)] {
                page.sample("kiteq_topic_failed_deliveries_total", [("topic", topic.name), ("reason", reason)], count)
            }
        }
    }

    static func groups(_ all: [GroupStatus], to page: inout PrometheusText) {
        // The busiest, and among equals always the same ones.
        let sorted = all.sorted { ($1.counters.delivered, $0.name) < ($0.counters.delivered, $1.name) }
        let (listed, rest) = (sorted.prefix(groupLimit), sorted.dropFirst(groupLimit))
        func family(_ name: String, _ kind: PrometheusText.Kind, _ help: String, _ value: (GroupStatus) -> Int) {
            page.split(name, kind, help, by: "group", listed.map { ($0.name, value($0)) })
        }
        family("kiteq_group_deliveries_total", .counter, "Deliveries to a group, attempts included.") {
            $0.counters.delivered
        }
        family("kiteq_group_acknowledgements_total", .counter, "Deliveries that a group acknowledged.") {
            $0.counters.acknowledged
        }
        family("kiteq_group_dead_letters_total", .counter, "Messages given up for a group.") {
            $0.counters.deadLettered
        }
        page.family("kiteq_group_failed_deliveries_total", .counter, "Attempts at a group that failed, by why.")
        for group in listed {
            let counters = group.counters
            for (reason, count) in [
                ("refused", counters.refused), ("timeout", counters.timedOut),
                ("connection_lost", counters.lostWithConnection),
            ] {
                page.sample("kiteq_group_failed_deliveries_total", [("group", group.name), ("reason", reason)], count)
            }
        }
        family("kiteq_group_in_flight", .gauge, "Deliveries of a group that await their answer.", \.inFlight)
        family("kiteq_group_queued", .gauge, "Messages of a group that wait in memory.", \.queued)
        family("kiteq_group_paused", .gauge, "1 while a person has paused the group.") { $0.isPaused ? 1 : 0 }
        family("kiteq_group_backlog", .gauge, "1 while messages of the group may wait in the store alone.") {
            $0.hasBacklog ? 1 : 0
        }
        page.family(
            "kiteq_group_oldest_in_flight_seconds", .gauge, "Age of a group's oldest delivery without an answer.")
        for group in listed {
            page.sample(
                "kiteq_group_oldest_in_flight_seconds", [("group", group.name)],
                Double(group.oldestInFlight ?? 0) / 1e9)
        }
        page.single("kiteq_unlisted_groups", .gauge, "Groups that are not listed one by one.", rest.count)
        page.single(
            "kiteq_unlisted_group_in_flight", .gauge, "Deliveries in flight of the groups that are not listed.",
            rest.reduce(0) { $0 + $1.inFlight })
        page.single(
            "kiteq_unlisted_group_queued", .gauge, "Messages in memory of the groups that are not listed.",
            rest.reduce(0) { $0 + $1.queued })
    }
}
