import Foundation
import LocalServers
import Testing

@testable import FaultHarness

/// A short run against the built command; `scripts/faults.sh` makes long ones.
@Suite(.timeLimit(.minutes(5)), .serialized) struct ShortRunTests {
    /// Next to the tests' own bundle.
    private static var executable: URL {
        URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent()
            .appending(path: "kiteq")
    }

    /// Less load than a run for the record has, and the harness's own lease: the tests share their machine, and a broker that does
    /// not get its turn for a shorter one is taken over, which no planned fault excuses.
    static func configuration(_ wishes: [FaultSchedule.Wish]) throws -> HarnessConfiguration {
        var configuration = HarnessConfiguration(
            seed: 20_250_711, wishes: wishes, duration: nil, executable: executable,
            folder: try LocalServers.temporaryFolder("faults"))
        configuration.outstanding = 150
        configuration.openPublishes = 100
        configuration.openDeliveries = 100
        configuration.maxOwed = 2_000
        configuration.calm = .milliseconds(500)
        configuration.checks = .milliseconds(300) ... .milliseconds(500)
        configuration.loadLimit = .seconds(20)
        return configuration
    }

    @Test func twoBrokersLoseNothing() async throws {
        var configuration = try Self.configuration([
            (.brokerKill, 2), (.brokerStop, 1), (.brokerPause, 1), (.databaseKill, 1), (.databaseCut, 1),
            (.zooKeeperKill, 1), (.crashPoint, 2),
        ])
        configuration.brokers = 2
        let result = try await HarnessRun(configuration).run()
        #expect(result.isGood, "\(MarkdownReport(result).text)")
        #expect(result.faults.count >= 9)
        #expect(result.acknowledged > 500 && result.verdict.accepted > 1_000)
    }
}
