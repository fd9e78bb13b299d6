/// Remembers what a ``BindingTable`` answered, so that no regular expression runs for a type seen before.
///
/// One for each event loop: looking up changes it. Holds a bounded number of answers in two generations; when the young
/// one is full the old one is dropped, so types in use stay and a flood of new types costs only their own look-ups.
/// Putting another table in forgets everything.
///
/// `Route` is what the owner wants to have ready for each answer, made once by `make`.
package struct RouteCache<Route: Sendable>: Sendable {
    @usableFromInline
    struct Key: Sendable, Hashable {
        @usableFromInline var topic: BindingName
        @usableFromInline var messageType: BindingName

        @inlinable
        init(topic: BindingName, messageType: BindingName) {
            self.topic = topic
            self.messageType = messageType
        }
    }

    /// What the answers come from.
    package var table: BindingTable {
        didSet {
            young.removeAll(keepingCapacity: true)
            old.removeAll(keepingCapacity: true)
        }
    }

    @usableFromInline let generation: Int
    @usableFromInline let make: @Sendable ([BindingTable.Match]) -> Route
    @usableFromInline var young: [Key: Route] = [:]
    @usableFromInline var old: [Key: Route] = [:]

    /// - Parameters:
    ///   - capacity: Answers to remember, at least 2. Each holds a topic and a type of at most 255 bytes, and a route.
    ///   - make: Turns the groups of a message into what ``route(topic:messageType:)`` returns.
    package init(
        table: BindingTable = .empty, capacity: Int = 4096, make: @escaping @Sendable ([BindingTable.Match]) -> Route
    ) {
        precondition(capacity >= 2, "a route cache holds at least 2 answers, not \(capacity)")
        self.table = table
        self.generation = capacity / 2
        self.make = make
    }

    /// How many answers are remembered now; never more than the capacity.
    package var count: Int { young.count + old.count }

    /// The route of a message of this topic and type. Names longer than ``Binding/maximumNameLength`` are looked up but
    /// not remembered.
    @inlinable
    package mutating func route(topic: String, messageType: String) -> Route {
        let key = Key(topic: BindingName(topic), messageType: BindingName(messageType))
        if let route = young[key] { return route }
        let route: Route
        if let remembered = old.removeValue(forKey: key) {
            route = remembered
        } else {
            route = make(table.groups(topic: topic, messageType: messageType))
            let limit = Binding.maximumNameLength
            guard topic.utf8.count <= limit, messageType.utf8.count <= limit else { return route }
        }
        if young.count >= generation {
            swap(&young, &old)
            young.removeAll(keepingCapacity: true)
        }
        young[key] = route
        return route
    }
}

extension RouteCache where Route == [BindingTable.Match] {
    /// A cache of the plain answers of the table.
    package init(table: BindingTable = .empty, capacity: Int = 4096) {
        self.init(table: table, capacity: capacity, make: { $0 })
    }
}
