/// Why there is no answer, or not the one that was wanted, in a sentence for a person.
package struct AdminClientError: Error, Hashable, CustomStringConvertible {
    package let description: String
    /// What the broker said, where it was the broker that refused.
    package let problem: API.Problem?
    /// Whether a file that was named cannot be used, rather than what was said itself.
    package let isAboutFile: Bool

    package init(_ description: String, problem: API.Problem? = nil, isAboutFile: Bool = false) {
        self.description = description
        self.problem = problem
        self.isAboutFile = isAboutFile
    }
}
