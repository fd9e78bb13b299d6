import ArgumentParser
import KiteQAdminClient
import KiteQCore

/// The flags that say which dead letters are meant.
struct DeadLetterFilterArguments: ParsableArguments {
    @Option(help: "Of this topic.")
    var topic: String?

    @Option(help: "That this group did not get.")
    var group: String?

    @Option(
        help: ArgumentHelp(
            "attempts (used up), expired, or undecided (a half message whose publisher never answered).",
            valueName: "reason"))
    var reason: DeadLetterReason?

    @OptionGroup var ages: AgeArguments

    func validate() throws {
        if let topic { try ClientArguments.check(topic, "--topic") }
        if let group { try ClientArguments.check(group, "--group") }
        if group != nil, reason == .undecided {
            throw ValidationError("An undecided half message belongs to no group yet: leave out --group.")
        }
    }

    var isEmpty: Bool { topic == nil && group == nil && reason == nil && ages.isEmpty }

    func filter(_ client: AdminClient) async throws -> API.DeadLetterFilter {
        var filter = API.DeadLetterFilter()
        (filter.topic, filter.group, filter.reason) = (topic, group, reason?.name)
        (filter.from, filter.before) = try await ages.times(client)
        return filter
    }
}
