import ArgumentParser

/// Which dead letters a command changes: those that are named, or those that a filter finds.
struct DeadLetterSelection: ParsableArguments {
    @Argument(help: "SHARD:ID as list shows it, or a message id.")
    var ids: [DeadLetterReference] = []

    @OptionGroup(title: "Filter") var filter: DeadLetterFilterArguments

    @Flag(help: "All of them, but undecided half messages.")
    var all = false

    @Flag(help: "Do not ask: with --expect.")
    var yes = false

    @Option(
        help: ArgumentHelp(
            "With --yes: how many the filter finds, as count says. Where it is another number, nothing is done.",
            valueName: "n"))
    var expect: Int?

    @Option(
        help: ArgumentHelp(
            "Why you do it, for the audit log: up to 500 characters. (--reason is of the letters.)", valueName: "text"))
    var auditReason: String?

    func validate() throws {
        if let auditReason { try ReasonArguments.check(auditReason, "--audit-reason") }
        if let expect, expect < 0 { throw ValidationError("--expect takes a number from 0.") }
        guard yes == (expect != nil) else { throw ValidationError("--yes and --expect go together.") }
        if ids.isEmpty {
            if all, !filter.isEmpty { throw ValidationError("--all and a filter exclude each other.") }
            if !all, filter.isEmpty {
                throw ValidationError("Say which: ids, a filter such as --group, or --all.")
            }
            return
        }
        var others = filter
        others.group = nil
        guard !all, !yes, others.isEmpty else {
            throw ValidationError("Give either ids or a filter; with a message id only --group can be added.")
        }
        if filter.group != nil, ids.contains(where: { if case .letter = $0 { true } else { false } }) {
            throw ValidationError("--group is for message ids: SHARD:ID is of one group already.")
        }
    }
}
