import KiteQCore

/// What is known of one topic's binding nodes.
struct TopicBindings {
    typealias Name = BindingName

    struct Node {
        var bindings: [Binding]
        /// Whether it was read, well or badly.
        var isRead = false
        /// Whether this session watches it.
        var isWatched = false
        /// Data that did not parse and was logged, so that it is logged once.
        var reported: [UInt8]?
    }

    /// Subscriptions that name the topic.
    var followers = 0
    /// What stands in for a group whose data never could be read.
    var lastKnown: [Binding] = []
    private var isListed = false
    private(set) var nodes: [Name: Node] = [:]

    /// Whether the topic was once learned as a whole. It stays so: what is learned later changes it node by node.
    private(set) var isKnown = false

    /// By group, then as the group gave them.
    var bindings: [Binding] {
        nodes.sorted { $0.key < $1.key }.flatMap { $0.value.bindings }
    }

    mutating func forgetWatches() {
        for node in nodes.keys { nodes[node]?.isWatched = false }
    }

    /// Takes in which nodes there are; returns those that are to be read.
    mutating func list(_ names: [Name]) -> [Name] {
        let names = names.filter { ZooKeeperPaths.group(ofBindingNode: $0.text) != nil }
        let present = Set(names)
        for name in nodes.keys where !present.contains(name) { nodes[name] = nil }
        for name in names where nodes[name] == nil { nodes[name] = Node(bindings: []) }
        isListed = true
        updateIsKnown()
        return names.filter { nodes[$0]?.isWatched != true }
    }

    /// Takes in that a node is gone.
    mutating func remove(_ name: Name) {
        nodes[name] = nil
        updateIsKnown()
    }

    /// Takes in a node's data.
    /// - Returns: What to log, one clause each.
    mutating func read(_ name: Name, data: [UInt8], topic: Name) -> [String] {
        // A node that was listed no more while its data were on their way.
        guard var node = nodes[name], let group = ZooKeeperPaths.group(ofBindingNode: name.text) else { return [] }
        defer {
            nodes[name] = node
            updateIsKnown()
        }
        let isNews = node.reported != data
        node.isWatched = true
        do {
            let document = try BindingDocument(data, topic: topic.text, group: group)
            node.bindings = document.bindings
            node.isRead = true
            node.reported = document.problems.isEmpty ? nil : data
            return isNews ? document.problems.map { "\($0), and is left out" } : []
        } catch {
            if !node.isRead {
                node.bindings = lastKnown.filter {
                    Name($0.group) == Name(group) && Name($0.topic) == topic
                }
            }
            node.isRead = true
            node.reported = data
            return isNews ? ["the data \(error.reason); the last bindings of the group stay in force"] : []
        }
    }

    private mutating func updateIsKnown() {
        if isListed, nodes.values.allSatisfy(\.isRead) { isKnown = true }
    }
}
