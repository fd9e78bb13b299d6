import Testing

@testable import FaultHarness

@Suite struct FaultScheduleTests {
    private let counted: [FaultSchedule.Wish] = [(.brokerKill, 20), (.databaseKill, 3), (.brokerPause, 4)]

    private func schedule(_ seed: UInt64, _ wishes: [FaultSchedule.Wish]) -> FaultSchedule {
        FaultSchedule(seed: seed, wishes: wishes, brokers: 3, lease: .seconds(2))
    }

    @Test func theSeedMakesIt() {
        let first = Array(schedule(1, counted))
        #expect(first == Array(schedule(1, counted)))
        #expect(first != Array(schedule(2, counted)))
        #expect(Set(first.map(\.broker)) == [0, 1, 2])
    }

    @Test func countsAreKept() {
        let faults = Array(schedule(1, counted))
        for wish in counted { #expect(faults.count { $0.kind == wish.kind } == wish.count) }
        #expect(faults.map(\.kind) != faults.map(\.kind).sorted { $0.rawValue < $1.rawValue })
    }

    @Test func withoutACountItDoesNotEnd() {
        let faults = Array(schedule(1, [(.brokerKill, nil), (.zooKeeperKill, nil)]).prefix(1_000))
        #expect(faults.count == 1_000)
        #expect(Set(faults.map(\.kind)) == [.brokerKill, .zooKeeperKill])
    }

    @Test func aPauseIsLongerThanTheLease() {
        for fault in schedule(5, [(.brokerPause, 100)]) {
            #expect(fault.outage >= .seconds(3) && fault.outage <= .seconds(6))
        }
    }

    @Test func crashPointsTakeTurns() {
        let targets = ["here", "there", "nowhere"].map { CrashTarget(name: $0, occasions: 2...9) }
        let faults = FaultSchedule(
            seed: 1, wishes: [(.crashPoint, 15)], brokers: 1, lease: .seconds(2), crashPoints: targets)
        let names = faults.map { $0.crashPoint.split(separator: ":")[0] }
        for target in targets { #expect(names.count { $0 == target.name } == 5) }
    }

    @Test func clocksAreWrongByMinutesToWeeks() {
        let leads = schedule(7, [(.clockWrong, 500)]).map(\.lead)
        #expect(
            leads.contains(.zero) && leads.contains { $0 > .seconds(1_209_600) }
                && leads.contains { $0 < .seconds(-1_209_600) })
        #expect(leads.allSatisfy { $0 == .zero || $0 >= .seconds(120) || $0 <= .seconds(-120) })
        #expect(leads == schedule(7, [(.clockWrong, 500)]).map(\.lead))
    }

    @Test func aShardsFaultNamesOne() {
        let faults = FaultSchedule(
            seed: 8, wishes: [(.shardLock, 50), (.shardDown, 50), (.shardRestore, 50), (.brokerKill, 5)], brokers: 2,
            lease: .seconds(2),
            shards: 3)
        #expect(Set(faults.filter { $0.kind.isOfShard }.map(\.shard)) == [0, 1, 2])
        #expect(faults.allSatisfy { $0.kind.isOfShard || $0.shard == nil })
    }

    @Test func namesAreRead() {
        for kind in FaultKind.allCases { #expect(FaultKind.named(kind.rawValue) == [kind]) }
        #expect(FaultKind.named("cut") == [.databaseCut, .databaseSilence, .zooKeeperCut])
        #expect(FaultKind.named("earthquake") == nil)
    }
}
