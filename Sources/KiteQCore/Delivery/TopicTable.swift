/// Where messages are counted by their topics: those that are configured, or once were, each for itself, all others together.
struct TopicTable: Sendable {
    private var names = [BindingName("")]
    private var places = [BindingName(""): 0]
    private var counters = [TopicTraffic()]
    /// Most messages are of the topic of the one before.
    private var last = 0

    init(_ topics: [String]) { add(topics) }

    /// Counts these for themselves from now on; one that is known goes on as before.
    mutating func add(_ topics: some Sequence<String>) {
        for name in topics.map(BindingName.init) where places[name] == nil {
            places[name] = names.count
            names.append(name)
            counters.append(TopicTraffic())
        }
    }

    /// 0 for those that are counted together.
    mutating func index(of topic: String) -> Int {
        let name = BindingName(topic)
        if names[last] != name { last = places[name] ?? 0 }
        return last
    }

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
