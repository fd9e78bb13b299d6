/// Topics as the machine knows them: what holds for their messages, and how many there were. Those that are configured, or once were,
/// count each for itself, all others together.
struct TopicTable: Sendable {
    private var names = [BindingName("")]
    private var places = [BindingName(""): 0]
    private var counters = [TopicTraffic()]
    private var settings: [TopicSettings]
    private let catalog: TopicCatalog
    /// Most messages are of the topic of the one before.
    private var last = 0

    init(_ topics: [String], _ catalog: TopicCatalog) {
        self.catalog = catalog
        settings = [catalog.defaults]
        add(topics)
    }

    /// Counts these for themselves from now on; one that is known goes on as before.
    mutating func add(_ topics: some Sequence<String>) {
        for name in topics.map(BindingName.init) where places[name] == nil {
            places[name] = names.count
            names.append(name)
            counters.append(TopicTraffic())
            settings.append(catalog[name])
        }
    }

    /// 0 for those that are counted together.
    mutating func index(of topic: String) -> Int {
        let name = BindingName(topic)
        if names[last] != name { last = places[name] ?? 0 }
        return last
    }

    /// Of any topic's messages: where it counts together with others, what holds for those that have no settings of their own.
    func redelivery(_ index: Int) -> RedeliverySchedule { settings[index].redelivery }

    /// How long a consumer has for its answer, nanoseconds.
    var answerTime: MonotonicTime { catalog.defaults.answerTime }

    subscript(index: Int) -> TopicTraffic {
        get { counters[index] }
        _modify { yield &counters[index] }
    }

    /// Those that are counted for themselves.
    var byName: [String: TopicTraffic] {
        Dictionary(
            zip(names, counters).dropFirst().map { ($0.text, $1) }, uniquingKeysWith: { first, _ in first })
    }
}
