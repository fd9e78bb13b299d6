import ArgumentParser
import KiteQCore
import KiteQStore
import Testing

@testable import kiteq

/// What the command line of `kiteq dead-letters` takes, and what it makes of it.
@Suite struct DeadLetterArgumentTests {
    @Test(arguments: [
        ["requeue"], ["requeue", "17"], ["requeue", "0:x"], ["requeue", "--limit", "5"],
        ["requeue", "0:1", "--all"], ["requeue", "0:1", "--limit", "3"], ["requeue", "0:1", "--topic", "t"],
        ["requeue", "0:1", "--group", "g"], ["requeue", "--all", "--group", "g"], ["requeue", "--all", "--limit", "0"],
        ["requeue", "--all", "--to-group", "g"], ["requeue", "0:1", "--to-group", ""],
        ["requeue", "0:1", "--expires-in", "0s"], ["requeue", "0:1", "--expires-in", "8d"],
        ["delete"], ["delete", "--all"], ["delete", "--topic", "t"], ["delete", "--yes"],
        ["list", "--limit", "0"], ["list", "--reason", "bored"], ["list", "--older-than", "yesterday"],
        ["list", "--older-than", "2d", "--newer-than", "1d"], ["list", "--reason", "undecided", "--group", "g"],
        ["list", "--after", "x"], ["list", "--group", ""], ["show"], ["show", "1"],
    ])
    func whatMakesNoSenseIsRefused(arguments: [String]) {
        #expect(throws: (any Error).self) { try DeadLettersCommand.parseAsRoot(arguments) }
    }

    @Test(arguments: [
        ["requeue", "0:1", "3:4"], ["requeue", "0123456789abcdef0123456789ABCDEF", "--group", "g"],
        ["requeue", "--all", "--limit", "3"], ["requeue", "--reason", "undecided", "--to-group", "g"],
        ["requeue", "0:1", "--to-group", "g", "--to-group", "h", "--expires-in", "7d"], ["delete", "0:1"],
        ["delete", "--older-than", "7d", "--yes"], ["list"], ["list", "--after", "1.2,3.4", "--json"],
        ["show", "0:1", "--json"],
    ])
    func whatMakesSenseIsTaken(arguments: [String]) throws {
        _ = try DeadLettersCommand.parseAsRoot(arguments)
    }

    @Test func agesBecomeTimes() throws {
        let arguments = try DeadLetterFilterArguments.parse([
            "--topic", "t", "--group", "g", "--reason", "expired", "--older-than", "1m", "--newer-than", "1h",
        ])
        var wanted = DeadLetterFilter()
        (wanted.topic, wanted.group, wanted.reasons) = ("t", "g", [.expired])
        (wanted.diedFrom, wanted.diedBefore) = (10_000_000 - 3_600_000, 10_000_000 - 60_000)
        #expect(arguments.filter(now: 10_000_000) == wanted)
        #expect(try DeadLetterFilterArguments.parse([]).filter(now: 5) == DeadLetterFilter())
    }
}
