/// What the packets of one read bring, handed on together when it ends. Room is made once, for as many as the read before had.
struct ReadBatch<Element> {
    private var elements: [Element] = []
    private var lastCount = 0

    mutating func append(_ element: Element) {
        if elements.isEmpty { elements.reserveCapacity(lastCount) }
        elements.append(element)
    }

    /// All of them; nil where there are none. An idle connection keeps no memory for them.
    mutating func take() -> [Element]? {
        lastCount = elements.count
        guard !elements.isEmpty else { return nil }
        defer { elements = [] }
        return elements
    }
}
