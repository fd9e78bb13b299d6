/// A client's place in the table, as long as it is open.
struct ClientIndex: Sendable, Hashable {
    fileprivate var value: Int32
}

/// The connections and pulls that consume, open ones and places that are free again.
struct ClientTable: Sendable {
    private var clients: [DeliveryClient] = []
    private var free: [Int32] = []

    subscript(_ index: ClientIndex) -> DeliveryClient {
        _read { yield clients[Int(index.value)] }
        _modify { yield &clients[Int(index.value)] }
    }

    /// All places, those of closed clients too. It holds on to no client: while it is gone through they may change.
    var places: some Sequence<ClientIndex> { (0..<Int32(clients.count)).lazy.map { ClientIndex(value: $0) } }

    /// Where a client is; nil when it is closed.
    func index(of id: DeliveryClientID) -> ClientIndex? {
        let c = Int(id.index)
        guard clients.indices.contains(c), clients[c].isOpen, clients[c].generation == id.generation else { return nil }
        return ClientIndex(value: id.index)
    }

    func id(of index: ClientIndex) -> DeliveryClientID {
        DeliveryClientID(index: index.value, generation: self[index].generation)
    }

    mutating func insert(_ client: DeliveryClient) -> ClientIndex {
        guard let place = free.popLast() else {
            clients.append(client)
            return ClientIndex(value: Int32(clients.count - 1))
        }
        let generation = clients[Int(place)].generation &+ 1
        clients[Int(place)] = client
        clients[Int(place)].generation = generation
        return ClientIndex(value: place)
    }

    /// Its id is nobody's from now on.
    mutating func close(_ index: ClientIndex) {
        self[index].isOpen = false
        self[index].generation &+= 1
        free.append(index.value)
    }
}
