/// Why a run could not be made or finished; one sentence.
package struct HarnessError: Error, Sendable, Hashable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}
