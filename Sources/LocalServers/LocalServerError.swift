/// Why a server of this machine could not be started or ended: one sentence that says what to do.
package struct LocalServerError: Error, Sendable, Hashable, CustomStringConvertible {
    package let message: String

    package init(_ message: String) { self.message = message }

    package var description: String { message }
}
