/// A rule was configured with values that make no sense.
package struct InvalidRule: Error, Hashable, CustomStringConvertible {
    /// One sentence for whoever wrote the configuration: which value, and what is allowed.
    package let message: String

    package init(_ message: String) {
        self.message = message
    }

    package var description: String { message }
}
