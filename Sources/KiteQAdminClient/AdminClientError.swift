/// Why there is no answer, or not the one that was wanted, in a sentence for a person.
package struct AdminClientError: Error, Hashable, CustomStringConvertible {
    package let description: String
    /// What the broker said, where it was the broker that refused.
    package let problem: API.Problem?

    package init(_ description: String, problem: API.Problem? = nil) {
        self.description = description
        self.problem = problem
    }
}
