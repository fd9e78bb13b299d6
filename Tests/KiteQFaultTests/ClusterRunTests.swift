import Foundation
import LocalServers
import Testing

@testable import FaultHarness

/// Two brokers write to a cluster whose writer is killed once; `scripts/faults.sh --database …` makes long runs.
///
/// Serialized: three servers, two brokers and the load are enough for a machine.
@Suite(.timeLimit(.minutes(4)), .serialized) struct ClusterRunTests {
    private static func lacks(_ missing: String?) -> Comment { Comment(rawValue: missing ?? "nothing") }

    @Test(.disabled(if: LocalGalera.missing != nil, lacks(LocalGalera.missing)))
    func galeraLosesItsWriter() async throws { try await loseWriter(.galera) }

    @Test(.disabled(if: LocalPair.missing != nil, lacks(LocalPair.missing)))
    func aPairLosesItsPrimary() async throws { try await loseWriter(.pair) }

    /// Not in every run: a member that was killed may take minutes to be one again.
    @Test(
        .disabled(if: LocalGroupReplication.missing != nil, lacks(LocalGroupReplication.missing)),
        .enabled(if: ProcessInfo.processInfo.environment["KITEQ_GROUP_REPLICATION_RUN"] == "1"))
    func aReplicationGroupLosesItsPrimary() async throws { try await loseWriter(.groupReplication) }

    @Test(
        .disabled(
            if: LocalGalera.missing != nil || LocalHAProxy.missing != nil,
            lacks(LocalGalera.missing ?? LocalHAProxy.missing)))
    func whatHAProxyHidesLosesItsWriter() async throws { try await loseWriter(.haProxy) }

    private func loseWriter(_ database: HarnessConfiguration.Database) async throws {
        var configuration = try ShortRunTests.configuration([(.writerKill, 1)])
        configuration.database = database
        configuration.brokers = 2
        configuration.outstanding = 20
        configuration.openPublishes = 5
        configuration.openDeliveries = 5
        configuration.maxOwed = 200
        configuration.hold = .milliseconds(50) ... .milliseconds(400)
        // The group is to act soon, so that this does not take a minute: the servers' own 5 s come on top.
        configuration.patience.memberExpel = .zero
        configuration.drainLimit = .seconds(20)
        configuration.flowLimit = .seconds(60)
        let result = try await HarnessRun(configuration).run()
        #expect(result.isGood, "\(MarkdownReport(result).text)")
        let fault = try #require(result.faults.first)
        #expect(fault.fault.kind == .writerKill && fault.brokersGap ?? 0 > 0 && fault.clusterGap ?? 0 > 0)
        #expect(result.acknowledged > 100 && result.verdict.accepted > 200)
        try FileManager.default.removeItem(at: configuration.folder)
    }
}
