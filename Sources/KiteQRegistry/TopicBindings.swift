import KiteQCore

/// What is known of one topic's bindings.
///
/// A group's bindings end when the group says so (its node holds others, or `[]`), or when its node goes from under the
/// topic node that it was seen under. A node that is missing for any other reason was lost, with the data of a ZooKeeper that
/// was emptied, restored or replaced: the bindings last known of its group then stand in until a node of it can be read
/// again. Those that the broker remembers from its last life stand in likewise: nobody was seen to delete them. One binding
/// too many costs messages that wait for nobody; one too few loses messages.
struct TopicBindings {
    typealias Name = BindingName

    private struct Node {
        var lastSeen: Sighting
        var bindings: [Binding] = []
        /// Whether it was read, well or badly.
        var isRead = false
        /// Whether this session watches it.
        var isWatched = false
        /// Data that did not parse and was logged, so that it is logged once.
        var reported: [UInt8]?
    }

    struct Listed: Equatable {
        /// The nodes that are to be read.
        var unread: [Name] = []
        /// The groups whose nodes are missing and whose bindings stay in force, where that is news.
        var lost: [Name] = []
    }

    /// Subscriptions that name the topic.
    var followers = 0
    /// By group, in place of what no node says (any more).
    private var standIns: [Name: [Binding]] = [:]
    private var nodes: [Name: Node] = [:]
    private var isListed = false

    /// Whether the topic was once learned as a whole. It stays so: what is learned later changes it node by node.
    private(set) var isKnown = false

    /// By group, then as the group gave them.
    var bindings: [Binding] {
        var all = nodes.mapValues(\.bindings)
        for (group, bindings) in standIns {
            all[Name(ZooKeeperPaths.bindingNode(group.text)), default: []] += bindings
        }
        return all.sorted { $0.key < $1.key }.flatMap { $0.value }
    }

    /// Takes in what was known before, in another life; what was listed in this one is newer.
    mutating func assume(_ lastKnown: [Binding]) {
        guard !isListed else { return }
        for (group, bindings) in Dictionary(grouping: lastKnown, by: { Name($0.group) }) { standIns[group] = bindings }
    }

    mutating func forgetWatches() {
        for node in nodes.keys { nodes[node]?.isWatched = false }
    }

    /// Takes in which nodes there are.
    mutating func list(_ names: [Name], _ sighting: Sighting) -> Listed {
        let names = names.filter { ZooKeeperPaths.group(ofBindingNode: $0.text) != nil }
        let present = Set(names)
        var lost: Set<Name> = []
        if !isListed {
            lost.formUnion(standIns.keys.filter { !present.contains(Name(ZooKeeperPaths.bindingNode($0.text))) })
        }
        for (name, node) in nodes where !present.contains(name) {
            nodes[name] = nil
            if node.lastSeen.provesDeletion(by: sighting) {
                if let group = ZooKeeperPaths.group(ofBindingNode: name.text) { standIns[Name(group)] = nil }
            } else {
                for binding in node.bindings {
                    standIns[Name(binding.group), default: []].append(binding)
                    lost.insert(Name(binding.group))
                }
            }
        }
        for name in names { nodes[name, default: Node(lastSeen: sighting)].lastSeen = sighting }
        isListed = true
        updateIsKnown()
        return Listed(unread: names.filter { nodes[$0]?.isWatched != true }, lost: lost.sorted { $0 < $1 })
    }

    /// Takes in that a node was not there to be read. Whether it is to be listed again, to learn why.
    mutating func miss(_ name: Name) -> Bool {
        nodes[name]?.isWatched = false
        return nodes[name] != nil
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
        node.isRead = true
        do {
            let document = try BindingDocument(data, topic: topic.text, group: group)
            node.bindings = document.bindings
            node.reported = document.problems.isEmpty ? nil : data
            standIns[Name(group)] = nil
            // A node may speak for other groups too; they may have one of their own that is still missing.
            for binding in document.bindings { standIns[Name(binding.group)]?.removeAll { $0 == binding } }
            return isNews ? document.problems.map { "\($0), and is left out" } : []
        } catch {
            node.reported = data
            return isNews ? ["the data \(error.reason); the last bindings of the group stay in force"] : []
        }
    }

    private mutating func updateIsKnown() {
        if isListed, nodes.values.allSatisfy(\.isRead) { isKnown = true }
    }
}
