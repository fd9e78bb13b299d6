import Foundation
import Testing

@testable import FaultHarness

/// What a run on a cluster says besides: gaps, what was stranded, what was refused and yet stored.
@Suite struct ClusterFiguresTests {
    @Test func theLongestGapIsFoundWhereverItIs() {
        #expect(Gaps.longest([5, 9, 2], from: 0, to: 10) == 4)
        #expect(Gaps.longest([1, 2], from: 0, to: 10) == 8)
        #expect(Gaps.longest([8, 9], from: 0, to: 10) == 8)
        #expect(Gaps.longest([], from: 3, to: 10) == 7)
    }

    @Test func whatLiesOutsideOfTheTimeDoesNotCount() {
        #expect(Gaps.longest([1, 20], from: 3, to: 10) == 7)
        #expect(Gaps.longest([3, 10], from: 10, to: 3) == 0)
    }

    @Test func whatComesAfterTheRestartWasStranded() {
        var story = Story()
        story.fault(.writerKill)
        story.note(story.plain, .published, .acknowledged)
        story.deliver(story.plain, to: 0)
        story.restartBrokers()
        story.deliver(story.plain, to: 1)
        #expect(story.findings.map(\.kind) == [.stranded] && story.findings.map(\.group) == [1])
        #expect(story.verdict.faults[0].findings == [.stranded: 1])
    }

    @Test func whatNeverComesIsLostWithAndWithoutARestart() {
        var story = Story()
        story.note(story.plain, .published, .acknowledged)
        story.deliver(story.plain, to: 0)
        #expect(story.findings.map(\.kind) == [.lost])
        story.restartBrokers()
        #expect(story.findings.map(\.kind) == [.lost])
    }

    @Test func aRefusedHalfMessageThatIsAskedAboutIsInTheStore() {
        var story = Story()
        let message = story.half(.committed)
        story.note(message, .published, .refused, .answeredRollBack)
        #expect(story.findings.map(\.kind) == [.falselyRefused])
    }

    @Test func whoDoesNotKnowIsNotToldFalsely() {
        var story = Story()
        let message = story.half(.committed)
        story.note(message, .published, .outcomeUnknown, .published, .refused, .answeredRollBack)
        #expect(story.findings.isEmpty)
    }

    /// Each belongs to the first fault that was not over when its sender knew its outcome.
    @Test func findingsAreCountedByFault() {
        var story = Story()
        story.fault(.writerKill)
        story.wait(seconds: 5)
        story.note(story.plain, .published, .acknowledged)
        story.fault(.switchWriter, seconds: 3)
        #expect(story.verdict.faults.map(\.findings) == [[:], [.lost: 2]])
    }

    @Test(arguments: FaultKind.allCases)
    func aClustersFaultNeedsACluster(_ kind: FaultKind) {
        guard kind.isOfCluster else { return }
        #expect(problem(kind, .mariaDB)?.contains("is of a cluster") == true)
        #expect(problem(kind, .pair) == nil || kind == .writerPartition)
    }

    @Test func whatASetUpDoesNotHaveIsRefused() {
        #expect(problem(.switchWriter, .galera)?.contains("any node takes writes") == true)
        #expect(problem(.twoWritable, .groupReplication)?.contains("of a pair") == true)
        #expect(problem(.databaseKill, .galera)?.contains("of one server") == true)
        #expect(problem(.writerPartition, .groupReplication) == nil && problem(.brokerKill, .galera) == nil)
        var configuration = configuration(.staleReplica, .haProxy)
        #expect(configuration.problem?.contains("of a pair") == true)
        configuration.behind = .pair
        #expect(configuration.problem == nil)
        configuration.behind = .mySQL
        #expect(configuration.problem?.contains("in front of galera or pair") == true)
    }

    private func problem(_ kind: FaultKind, _ database: HarnessConfiguration.Database) -> String? {
        configuration(kind, database).problem
    }

    private func configuration(
        _ kind: FaultKind, _ database: HarnessConfiguration.Database
    ) -> HarnessConfiguration {
        var configuration = HarnessConfiguration(
            seed: 1, wishes: [(kind, 1)], duration: nil, executable: URL(fileURLWithPath: "/nowhere"),
            folder: URL(fileURLWithPath: "/nowhere"))
        configuration.brokers = 2
        configuration.database = database
        return configuration
    }
}
