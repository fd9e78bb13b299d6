import ArgumentParser
import KiteQCore

/// The flags that say which dead letters are meant.
struct DeadLetterFilterArguments: ParsableArguments {
    @Option(help: "Of this topic.")
    var topic: String?

    @Option(help: "That this group did not get.")
    var group: String?

    @Option(
        help: ArgumentHelp(
            "attempts (used up), expired, or undecided (a half message whose producer never answered).",
            valueName: "reason"))
    var reason: DeadLetterReason?

    @Option(
        help: ArgumentHelp("That died longer ago than this, such as 2d.", valueName: "duration"),
        transform: Self.duration)
    var olderThan: Duration?

    @Option(
        help: ArgumentHelp("That died since, such as 12h.", valueName: "duration"), transform: Self.duration)
    var newerThan: Duration?

    func validate() throws {
        if let topic { try ClientArguments.check(topic, "--topic") }
        if let group { try ClientArguments.check(group, "--group") }
        if group != nil, reason == .undecided {
            throw ValidationError("An undecided half message belongs to no group yet: leave out --group.")
        }
        if let olderThan, let newerThan, olderThan >= newerThan {
            throw ValidationError("Nothing is older than --older-than and newer than --newer-than.")
        }
    }

    var isEmpty: Bool { topic == nil && group == nil && reason == nil && olderThan == nil && newerThan == nil }

    /// - Parameter now: Unix milliseconds, by the clock that ages are counted from.
    func filter(now: Timestamp) -> DeadLetterFilter {
        var filter = DeadLetterFilter()
        filter.topic = topic
        filter.group = group
        if let reason { filter.reasons = [reason] }
        filter.diedBefore = olderThan.map { now - Timestamp($0 / .milliseconds(1)) }
        filter.diedFrom = newerThan.map { now - Timestamp($0 / .milliseconds(1)) }
        return filter
    }

    private static func duration(_ text: String) throws -> Duration {
        guard let duration = DurationText.parse(text) else {
            throw ValidationError("write a whole number and a unit: 30m, 12h, 7d")
        }
        return duration
    }
}
