/// A part of a name, as a person remembers it: capital letters or not.
struct NameSearch: Sendable, Hashable {
    private let part: String

    /// - Parameter part: nil: every name matches.
    init(_ part: String?) { self.part = part?.lowercased() ?? "" }

    func matches(_ name: String) -> Bool { part.isEmpty || name.lowercased().contains(part) }
}
