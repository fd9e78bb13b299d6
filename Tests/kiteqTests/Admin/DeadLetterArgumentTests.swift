import ArgumentParser
import KiteQAdminClient
import KiteQCore
import Testing

@testable import kiteq

/// What the command line of `kiteq dead-letters` takes.
@Suite struct DeadLetterArgumentTests {
    @Test(arguments: [
        ["requeue"], ["requeue", "17"], ["requeue", "0:x"], ["requeue", "0:1", "--all"],
        ["requeue", "0:1", "--topic", "t"], ["requeue", "0:1", "--group", "g"], ["requeue", "--all", "--group", "g"],
        ["requeue", "--all", "--yes"], ["requeue", "--all", "--expect", "3"],
        ["requeue", "--all", "--yes", "--expect", "-1"], ["requeue", "0:1", "--yes", "--expect", "1"],
        ["delete"], ["delete", "--topic", "t", "--yes"], ["delete", "--yes", "--expect", "1"],
        ["count", "--limit", "1"],
        ["list", "--limit", "0"], ["list", "--reason", "bored"], ["list", "--older-than", "yesterday"],
        ["list", "--older-than", "2d", "--newer-than", "1d"], ["list", "--reason", "undecided", "--group", "g"],
        ["list", "--after", ""], ["list", "--group", ""], ["show"], ["show", "1"], ["show", "0:1", "--group", ""],
        ["delete", "0:1", "--audit-reason", " "], ["list", "--audit-reason", "r"],
    ])
    func whatMakesNoSenseIsRefused(arguments: [String]) {
        #expect(throws: (any Error).self) { try DeadLettersCommand.parseAsRoot(arguments) }
    }

    @Test(arguments: [
        ["requeue", "0:1", "3:4"], ["requeue", "0123456789abcdef0123456789ABCDEF", "--group", "g"],
        ["requeue", "--all"], ["requeue", "--reason", "undecided"], ["delete", "0:1"],
        ["delete", "--older-than", "7d"],
        ["delete", "--older-than", "7d", "--yes", "--expect", "0"], ["list"], [], ["list", "--after", "1.2", "--json"],
        ["show", "0:1", "--json"], ["count"], ["count", "--group", "g"],
    ])
    func whatMakesSenseIsTaken(arguments: [String]) throws {
        _ = try DeadLettersCommand.parseAsRoot(arguments)
    }

    @Test(arguments: [("12", true), ("1,234", false), (" 12 \n", true), ("", false), ("y", false), ("-12", false)])
    func onlyTheNumberIsAConfirmation(answer: String, isOne: Bool) {
        #expect(DeadLetterRun.isConfirmation(answer, of: 12) == isOne)
    }
}
