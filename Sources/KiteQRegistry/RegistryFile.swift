import KiteQCore
import Yams

/// Reads the YAML of a file registry.
///
/// ```yaml
/// brokers:
///   - address: "localhost:13800"
///     topics: ["trade", "feed"]
///     env: "dev"                  # taken and not used
/// bindings:
///   - groupIds: ["s-trade"]
///     topic: "trade"
///     messageType: "pay-succ"     # "*" where it is absent and bindType is fanout
///     bindType: "direct"          # direct, regx or fanout; direct where it is absent
///     watermark: 1000             # messages a second; the broker's default where it is absent
///     persistent: true            # true where it is absent
/// ```
///
/// All or nothing: one thing wrong and the whole file is refused, since half of it would silently unbind groups.
/// So is a file without content, which is what an editor leaves for a moment; `bindings: []` is how to say "none".
struct RegistryFile {
    /// What is wrong, and where: lines count from 1.
    struct Malformed: Error, Equatable, CustomStringConvertible {
        var line: Int?
        var reason: String

        var description: String { line.map { "line \($0): \(reason)" } ?? reason }
    }

    /// Larger files are refused before they are read.
    static let maximumSize = 16 << 20

    static func parse(_ text: String) throws(Malformed) -> RegistryContents.Listing {
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch let error as YamlError {
            throw malformed(error)
        } catch {
            throw Malformed(reason: "\(error)")
        }
        guard let root, root.null == nil else {
            throw Malformed(reason: "the file is empty; write 'bindings: []' where there are none")
        }
        var listing = RegistryContents.Listing()
        try eachField(of: root, "the file", known: ["brokers", "bindings"]) { (key, value) throws(Malformed) in
            for node in try sequence(value, key) {
                if key == "brokers" {
                    let (address, topics) = try broker(node)
                    guard listing.brokers.updateValue(topics, forKey: address) == nil else {
                        throw Malformed(at: node, "the broker \(address) is listed twice")
                    }
                } else {
                    listing.bindings += try bindings(node)
                }
            }
        }
        return listing
    }

    private static func broker(_ node: Node) throws(Malformed) -> (BrokerAddress, [String]) {
        var address: BrokerAddress?
        var topics: [String]?
        try eachField(of: node, "a broker", known: ["address", "topics", "env"]) { (key, value) throws(Malformed) in
            switch key {
            case "address":
                let text = try string(value, key)
                address = BrokerAddress(text)
                if address == nil { throw Malformed(at: value, "the address '\(text)' is no HOST:PORT") }
            case "topics":
                var names: [String] = []
                for topic in try sequence(value, key) { names.append(try name(topic, "topic")) }
                topics = names
            default: _ = try string(value, key)
            }
        }
        guard let address else { throw Malformed(at: node, "a broker has no address") }
        guard let topics else { throw Malformed(at: node, "the broker \(address) has no topics") }
        return (address, topics)
    }

    private static func bindings(_ node: Node) throws(Malformed) -> [Binding] {
        var groups: [String] = []
        var binding = Binding(group: "", topic: "", messageType: "")
        var messageType: String?
        let known = ["groupIds", "topic", "messageType", "bindType", "watermark", "persistent", "version"]
        try eachField(of: node, "a binding", known: known) { (key, value) throws(Malformed) in
            switch key {
            case "groupIds":
                for group in try sequence(value, key) { groups.append(try name(group, "group")) }
            case "topic": binding.topic = try name(value, "topic")
            case "messageType": messageType = try string(value, key)
            case "bindType":
                let text = try string(value, key)
                guard let kind = BindKind(name: text) else {
                    throw Malformed(at: value, "the bindType '\(text)' is none of direct, regx, fanout")
                }
                binding.kind = kind
            case "watermark":
                guard let watermark = value.int else { throw Malformed(at: value, "the watermark is no whole number") }
                binding.watermark = watermark
            case "persistent":
                guard let persistent = value.bool else {
                    throw Malformed(at: value, "persistent is neither true nor false")
                }
                binding.persistent = persistent
            default: _ = try string(value, key)
            }
        }
        if groups.isEmpty { throw Malformed(at: node, "a binding has no groupIds") }
        guard let type = messageType ?? (binding.kind == .fanout ? "*" : nil) else {
            throw Malformed(at: node, "a binding has no messageType")
        }
        binding.messageType = type
        binding.group = groups[0]
        if let problem = binding.problem { throw Malformed(at: node, "a binding \(problem)") }
        return groups.map { group in
            var binding = binding
            binding.group = group
            return binding
        }
    }

    // MARK: - YAML

    private static func eachField(
        of node: Node, _ what: String, known: [String], _ body: (String, Node) throws(Malformed) -> Void
    ) throws(Malformed) {
        guard let mapping = node.mapping else { throw Malformed(at: node, "\(what) is no mapping of names to values") }
        for (key, value) in mapping {
            let name = try string(key, "a name")
            guard known.contains(name) else {
                throw Malformed(at: key, "'\(name)' is not known here; \(what) has \(known.joined(separator: ", "))")
            }
            try body(name, value)
        }
    }

    private static func sequence(_ node: Node, _ key: String) throws(Malformed) -> [Node] {
        guard let sequence = node.sequence else {
            // `bindings:` with nothing after it says as much as `bindings: []`.
            if node.null != nil { return [] }
            throw Malformed(at: node, "\(key) is no list")
        }
        return Array(sequence)
    }

    private static func string(_ node: Node, _ key: String) throws(Malformed) -> String {
        guard let scalar = node.scalar else { throw Malformed(at: node, "\(key) is no text") }
        return scalar.string
    }

    private static func name(_ node: Node, _ what: String) throws(Malformed) -> String {
        let name = try string(node, "a \(what)")
        if name.isEmpty { throw Malformed(at: node, "a \(what) is empty") }
        guard name.utf8.count <= Binding.maximumNameLength else {
            throw Malformed(
                at: node, "a \(what) has \(name.utf8.count) bytes; at most \(Binding.maximumNameLength) are allowed")
        }
        return name
    }

    private static func malformed(_ error: YamlError) -> Malformed {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            Malformed(line: mark.line, reason: "this is no YAML: \(problem)")
        case .reader(let problem, _, _, _): Malformed(reason: "this is no YAML: \(problem)")
        case .duplicatedKeysInMapping(let keys, let context):
            Malformed(line: context.mark.line, reason: "given twice: \(keys.joined(separator: ", "))")
        default: Malformed(reason: "this is no YAML: \(error)")
        }
    }
}

extension RegistryFile.Malformed {
    fileprivate init(at node: Node, _ reason: String) {
        self.init(line: node.mark?.line, reason: reason)
    }

    fileprivate init(reason: String) { self.init(line: nil, reason: reason) }
}
