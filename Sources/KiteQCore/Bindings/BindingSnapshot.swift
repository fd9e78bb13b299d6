/// The bindings of topics at one moment.
package struct BindingSnapshot: Sendable, Hashable {
    package var bindings: [Binding]
    /// Topics of which nobody knows who is bound to them: they have none here, which says nothing. By their bytes.
    package var hidden: Set<BindingName>

    package init(_ bindings: [Binding], hidden: Set<BindingName> = []) {
        self.bindings = bindings
        self.hidden = hidden
    }
}
