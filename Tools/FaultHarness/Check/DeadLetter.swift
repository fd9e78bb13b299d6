/// A row of kite_dead_letter of the run.
package struct DeadLetter: Sendable, Hashable {
    package var message: UInt32
    /// Nil: a half message that nobody decided.
    package var group: Int?

    package init(message: UInt32, group: Int?) {
        self.message = message
        self.group = group
    }
}
