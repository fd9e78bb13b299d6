import KiteQCore

/// Where KiteQ's nodes are.
///
/// The C client has a chroot of its own; this is done without it, since under that the node itself and those above it cannot
/// be made, and an error would not say which path of the server is meant.
struct ZooKeeperPaths: Sendable, Hashable {
    private static let bindSuffix = "-bind"

    /// "", or a path without a '/' at its end.
    var root = ""

    var aliveServers: String { "\(root)/kiteq/alive_servers" }
    var allServers: String { "\(root)/kiteq/all_servers" }

    func server(_ topic: String) -> String { "\(root)/kiteq/server/\(topic)" }
    func producers(_ topic: String) -> String { "\(root)/kiteq/pub/\(topic)" }
    func bindings(_ topic: String) -> String { "\(root)/kiteq/sub/\(topic)" }
    func binding(of group: String, to topic: String) -> String { "\(bindings(topic))/\(Self.bindingNode(group))" }

    static func bindingNode(_ group: String) -> String { group + bindSuffix }

    /// The group of a node under ``bindings(_:)``; nil for a node that is none of ours.
    static func group(ofBindingNode node: String) -> String? {
        guard node.hasSuffix(bindSuffix), node.utf8.count > bindSuffix.utf8.count else { return nil }
        return String(node.dropLast(bindSuffix.count))
    }

    static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return "/" }
        return String(path[..<slash])
    }

    /// Refuses a name that cannot be one step of a path.
    /// - Parameter what: What the name is, to begin the sentence with: "topic", "group".
    static func check(_ name: String, _ what: String) throws(RegistryError) {
        func refuse(_ why: String) -> RegistryError {
            RegistryError(.invalid, "The \(what) '\(name)' \(why), so ZooKeeper cannot hold it.")
        }
        if name.isEmpty { throw RegistryError(.invalid, "A \(what) is empty, so ZooKeeper cannot hold it.") }
        if name == "." || name == ".." { throw refuse("is a relative path") }
        if name.utf8.count > Binding.maximumNameLength {
            throw refuse("is longer than \(Binding.maximumNameLength) bytes")
        }
        for scalar in name.unicodeScalars {
            switch scalar.value {
            case 0x2F: throw refuse("contains a '/'")
            case 0...0x1F, 0x7F...0x9F, 0xD800...0xF8FF, 0xFFF0...0xFFFF:
                throw refuse("contains a control or private character")
            // ZooKeeper looks at UTF-16, and refuses surrogates.
            case 0x1_0000...: throw refuse("contains a character beyond U+FFFF, such as an emoji")
            default: break
            }
        }
    }
}
