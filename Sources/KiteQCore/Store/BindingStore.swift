/// Remembers bindings for a start without the registry.
package protocol BindingStore: Sendable {
    /// Remembers the last known bindings of these topics, for a start while the registry is away.
    func saveBindings(_ bindings: [Binding], topics: [String]) async throws

    /// The bindings last saved for these topics; nil where none were ever saved.
    func savedBindings(topics: [String]) async throws -> [Binding]?
}
