import HTTPTypes
import Hummingbird
import KiteQBroker
import KiteQCore

/// Topics: rates at this broker, counts in the store.
struct TopicRoutes {
    let services: AdminServices
    private let counts = AnswerCache<Int, TopicCounts>(lifetime: .seconds(10))

    init(_ services: AdminServices) { self.services = services }

    func add(to routes: ReadingRoutes) {
        routes.get("topics", for: .counts, .within) { request, context in
            var query = try QueryReader(request)
            let search = NameSearch(try query.name("search"))
            try query.refuseRest()
            let (store, scope) = (services.store, try context.requireCaller().scope)
            let answer = await counts.value(0) { await store.topicCounts() }
            return JSONAnswer(
                TopicListAnswer(
                    answer.value, services.broker, search, scope, at: services.broker.time - answer.age))
        }
    }
}

struct TopicListAnswer: Encodable, Sendable {
    struct Item: Encodable, Sendable {
        var topic: String
        var isServed: Bool
        var published = 0.0
        var delivered = 0.0
        var acknowledged = 0.0
        /// Published here since this broker serves.
        var total = 0
        var half = 0
        var fresh = 0
        var tracked = 0
    }

    var items: [Item]
    var countedAt: Time
    var isExact: Bool
    /// Rows that were counted.
    var counted: Int
    var unreachable: [UnreachableShard]

    init(_ counts: TopicCounts, _ broker: Broker, _ search: NameSearch, _ scope: NameScope, at: Timestamp) {
        var items: [BindingName: Item] = [:]
        let status = broker.status
        let rates = broker.rates?.topics ?? [:]
        for topic in status?.servedTopics ?? [] {
            items[BindingName(topic)] = Item(topic: topic, isServed: true)
        }
        for topic in status?.topics ?? [] {
            let name = BindingName(topic.name)
            let rate = rates[name]?.tenSeconds ?? Rates.Rate()
            items[name] = Item(
                topic: topic.name, isServed: items[name] != nil, published: rate.published, delivered: rate.delivered,
                acknowledged: rate.acknowledged, total: topic.published)
        }
        for count in counts.counts {
            let name = BindingName(count.topic)
            var item = items[name] ?? Item(topic: count.topic, isServed: false)
            switch count.state {
            case .half: item.half += count.messages
            case .fresh: item.fresh += count.messages
            case .tracked: item.tracked += count.messages
            }
            items[name] = item
        }
        self.items = items.values.filter { search.matches($0.topic) && scope.has(topic: $0.topic) }.sorted {
            $0.topic.utf8.lexicographicallyPrecedes($1.topic.utf8)
        }
        countedAt = at.time
        isExact = counts.isExact
        // How many there are in all is nothing for whom not all topics are.
        counted =
            scope.topics == nil
            ? counts.looked
            : counts.counts.reduce(0) { scope.has(topic: $1.topic) ? $0 + $1.messages : $0 }
        unreachable = counts.failures.map(UnreachableShard.init)
    }
}
