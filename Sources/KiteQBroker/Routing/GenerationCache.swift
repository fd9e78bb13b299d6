/// Remembers what was found lately, in two generations: what is asked for again moves to the younger one, and when that is full the
/// older one is forgotten. So keys without end do not push out those that are in use.
struct GenerationCache<Key: Hashable, Value> {
    private let limit: Int
    private var young: [Key: Value] = [:]
    private var old: [Key: Value] = [:]
    /// Of the younger one.
    private var weight = 0

    /// - Parameter limit: what all entries may weigh together.
    init(limit: Int) {
        self.limit = max(1, limit / 2)
    }

    /// - Parameter weight: of its value.
    mutating func value(of key: Key, weight: (Value) -> Int) -> Value? {
        if let value = young[key] { return value }
        guard let value = old.removeValue(forKey: key) else { return nil }
        insert(value, for: key, weight: weight(value))
        return value
    }

    mutating func insert(_ value: Value, for key: Key, weight new: Int) {
        if weight >= limit { (old, young, weight) = (young, [:], 0) }
        // What takes another's place weighs again: the generation is a little shorter for it.
        weight += new
        young[key] = value
    }
}
