import ArgumentParser

/// Why somebody acts, where it need not be said.
struct OptionalReasonArguments: ParsableArguments {
    @Option(help: "Why, for the audit log: up to 500 characters.")
    var reason: String?

    func validate() throws {
        if let reason { try ReasonArguments.check(reason, "--reason") }
    }
}
