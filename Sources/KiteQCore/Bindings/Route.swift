/// The groups a message was accepted for, fixed then. Each distinct set is stored once, under its id.
///
/// Routes are equal if their groups are, byte for byte, in whatever order they were given.
package struct Route: Sendable {
    package struct Member: Sendable {
        package var group: String
        /// Whether the message is kept for the group while no client of it is connected.
        package var persistent: Bool

        package init(group: String, persistent: Bool) {
            self.group = group
            self.persistent = persistent
        }
    }

    /// Positive, and the same for the same members everywhere and for ever: it is stored.
    package let id: RouteID
    /// Sorted by the bytes of the group, each group once.
    package let members: [Member]

    /// - Parameter members: in any order; a group that is named twice is persistent if it is once.
    package init(_ members: some Sequence<Member>) {
        var sorted: [Member] = []
        for member in members.sorted(by: { $0.group.utf8.lexicographicallyPrecedes($1.group.utf8) }) {
            if let last = sorted.last, last.group.utf8.elementsEqual(member.group.utf8) {
                sorted[sorted.count - 1].persistent = last.persistent || member.persistent
            } else {
                sorted.append(member)
            }
        }
        self.members = sorted
        id = Self.identity(ofSorted: sorted)
    }

    /// No group: a message for nobody, which is done as soon as it is accepted.
    package static let empty = Route([])

    package var isEmpty: Bool { members.isEmpty }
}

extension Route: Hashable {
    // The id alone would do but for a collision.
    package static func == (a: Self, b: Self) -> Bool { a.id == b.id && a.members == b.members }
    package func hash(into hasher: inout Hasher) { hasher.combine(id) }
}

extension Route.Member: Hashable {
    // Groups count by their bytes, as they do in MySQL: two spellings of one text are two groups.
    package static func == (a: Self, b: Self) -> Bool {
        a.persistent == b.persistent && a.group.utf8.elementsEqual(b.group.utf8)
    }

    package func hash(into hasher: inout Hasher) {
        for byte in group.utf8 { hasher.combine(byte) }
        hasher.combine(persistent)
    }
}
