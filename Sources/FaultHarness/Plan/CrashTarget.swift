/// A named point at which a broker kills itself, and at which of its occasions.
package struct CrashTarget: Sendable, Hashable {
    package var name: String
    /// Rare ones die at the first; those on every message's way at one of many, so that there is load.
    package var occasions: ClosedRange<Int>

    package init(name: String, occasions: ClosedRange<Int>) {
        self.name = name
        self.occasions = occasions
    }

    package static let all: [CrashTarget] = []
}
