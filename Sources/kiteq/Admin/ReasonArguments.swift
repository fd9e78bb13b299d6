import ArgumentParser

/// Why somebody acts.
struct ReasonArguments: ParsableArguments {
    @Option(help: "Why, for the audit log: up to 500 characters.")
    var reason: String

    func validate() throws { try Self.check(reason, "--reason") }

    static func check(_ reason: String, _ name: String) throws {
        guard reason.contains(where: { !$0.isWhitespace }), reason.unicodeScalars.count <= 500 else {
            throw ValidationError("\(name) takes up to 500 characters that say why.")
        }
    }
}
