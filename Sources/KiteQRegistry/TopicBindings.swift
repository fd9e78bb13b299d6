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
        /// Whether it was read, well or badly, or cannot be.
        var isRead = false
        /// Whether it ever said what its group is bound to.
        var hasSpoken = false
        /// Why its bindings are not what it holds now, a clause.
        var trouble: Trouble?
        /// Reads in a row that failed though the server answered.
        var failures = 0
        /// Whether this session watches it.
        var isWatched = false
        /// Data that did not parse and was logged, so that it is logged once.
        var reported: [UInt8]?
    }

    /// Why a node is left out, or part of it.
    enum Trouble: Hashable {
        /// It cannot be read; the text is the server's reason.
        case unreadable(String)
        /// What it holds, or some of it, is no binding; the text says what.
        case malformed(String)
    }

    /// What follows from it for the group.
    static let consequence = "the group is bound to what it was bound to before, if that is known, and else to nothing"

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
    /// Whether what was known in another life cannot be asked for yet. Until it is, nobody knows what a node that cannot be read
    /// stands for.
    private var lacksMemory = false
    /// Groups whose nodes were seen to be deleted meanwhile.
    private var ended: Set<Name> = []

    /// Whether the topic was once learned as a whole. It stays so: what is learned later changes it node by node.
    private(set) var isKnown = false
    /// Why the topic's nodes cannot be listed, a clause; nil while they can.
    private(set) var refusal: String?

    /// Whether nothing can be known of it: it cannot be listed, never was, and nobody remembers any of it; or a group of it
    /// cannot be read, and those who would remember it are away.
    var isHidden: Bool { !isKnown && (refusal != nil || isListed && nodes.values.allSatisfy(\.isRead)) }

    /// Nodes that are left out, by what is the matter; sorted.
    var troubles: [(node: Name, trouble: Trouble)] {
        nodes.compactMap { name, node in node.trouble.map { (name, $0) } }.sorted { $0.node < $1.node }
    }

    /// So many reads may fail, while the server answers others, before a node is left out for it.
    static let patience = 8

    /// By group, then as the group gave them.
    var bindings: [Binding] {
        var all = nodes.mapValues(\.bindings)
        for (group, bindings) in standIns {
            all[Name(ZooKeeperPaths.bindingNode(group.text)), default: []] += bindings
        }
        return all.sorted { $0.key < $1.key }.flatMap { $0.value }
    }

    /// Takes in what was known before, in another life; what was listed in this one is newer.
    /// - Parameter lastKnown: nil where that cannot be asked for yet: then it may come late.
    mutating func assume(_ lastKnown: [Binding]?) {
        guard let lastKnown else {
            if !isListed, standIns.isEmpty { lacksMemory = true }
            return
        }
        guard !isListed || lacksMemory else { return }
        let said = Set(nodes.values.filter(\.hasSpoken).flatMap(\.bindings))
        for (group, bindings) in Dictionary(grouping: lastKnown, by: { Name($0.group) })
        where !ended.contains(group) && nodes[Name(ZooKeeperPaths.bindingNode(group.text))]?.hasSpoken != true {
            standIns[group] = bindings.filter { !said.contains($0) }
        }
        (lacksMemory, ended) = (false, [])
        updateIsKnown()
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
                if let group = ZooKeeperPaths.group(ofBindingNode: name.text) {
                    standIns[Name(group)] = nil
                    if lacksMemory { ended.insert(Name(group)) }
                }
            } else {
                for binding in node.bindings {
                    standIns[Name(binding.group), default: []].append(binding)
                    lost.insert(Name(binding.group))
                }
            }
        }
        for name in names { nodes[name, default: Node(lastSeen: sighting)].lastSeen = sighting }
        isListed = true
        refusal = nil
        updateIsKnown()
        return Listed(unread: names.filter { nodes[$0]?.isWatched != true }, lost: lost.sorted { $0 < $1 })
    }

    /// Takes in that a node was not there to be read. Whether it is to be listed again, to learn why.
    mutating func miss(_ name: Name) -> Bool {
        nodes[name]?.isWatched = false
        return nodes[name] != nil
    }

    /// Takes in that the topic's nodes cannot be listed. What is remembered of it, if anything is, stays in force.
    mutating func refuse(_ reason: String) {
        refusal = reason
        updateIsKnown()
    }

    /// Takes in that a node cannot be read: its group keeps what it had, if it had anything, and the others are not held up.
    /// - Parameter isLasting: Whether trying again is of no use; else it is left out when that has happened often enough.
    /// - Returns: Whether it is left out for it, and that is news.
    mutating func refuse(_ name: Name, _ reason: String, isLasting: Bool) -> Bool {
        guard var node = nodes[name] else { return false }
        defer {
            nodes[name] = node
            updateIsKnown()
        }
        node.failures += 1
        node.isWatched = false
        guard isLasting || node.failures >= Self.patience else { return false }
        node.isRead = true
        defer { node.trouble = .unreadable(reason) }
        if case .unreadable = node.trouble { return false }
        return true
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
        node.trouble = nil
        node.failures = 0
        do {
            let document = try BindingDocument(data, topic: topic.text, group: group)
            node.bindings = document.bindings
            node.hasSpoken = true
            node.reported = document.problems.isEmpty ? nil : data
            node.trouble = document.problems.first.map { .malformed("\($0), and is left out") }
            standIns[Name(group)] = nil
            // A node may speak for other groups too; they may have one of their own that is still missing.
            for binding in document.bindings { standIns[Name(binding.group)]?.removeAll { $0 == binding } }
            return isNews ? document.problems.map { "\($0), and is left out" } : []
        } catch {
            node.reported = data
            node.trouble = .malformed("the data \(error.reason)")
            return isNews ? ["the data \(error.reason); \(Self.consequence)"] : []
        }
    }

    private mutating func updateIsKnown() {
        if !isListed, refusal != nil, !standIns.isEmpty { isKnown = true }
        if isListed, nodes.values.allSatisfy({ $0.isRead && ($0.hasSpoken || !lacksMemory) }) { isKnown = true }
    }
}
