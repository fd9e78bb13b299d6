/// A part of a name, as a person remembers it: capital letters or not.
struct NameSearch: Sendable, Hashable {
    private let part: String

    /// - Parameter part: nil: all of them.
    init(_ part: String?) { self.part = part?.lowercased() ?? "" }

    /// Whether every name matches.
    var isForAll: Bool { part.isEmpty }

    func matches(_ name: String) -> Bool { isForAll || name.lowercased().contains(part) }
}
