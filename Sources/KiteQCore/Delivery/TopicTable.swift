/// Where messages are counted by their topics: those that are configured each for itself, all others together.
struct TopicTable: Sendable {
    private let names: [BindingName]
    private let places: [BindingName: Int]
    private(set) var counters: [TopicTraffic]
    /// Most messages are of the topic of the one before.
    private var last = 0

    init(_ topics: [String]) {
        names = [BindingName("")] + topics.map(BindingName.init)
        places = Dictionary(zip(names, names.indices), uniquingKeysWith: { first, _ in first })
        counters = Array(repeating: TopicTraffic(), count: names.count)
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

    /// Those that are configured.
    var byName: [String: TopicTraffic] {
        Dictionary(
            zip(names, counters).dropFirst().map { ($0.text, $1) }, uniquingKeysWith: { first, _ in first })
    }
}
