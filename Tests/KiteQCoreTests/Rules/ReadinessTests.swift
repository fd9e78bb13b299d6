import KiteQCore
import Testing

@Suite struct ReadinessTests {
    private func shard(_ number: Int, _ change: (inout Readiness.Shard) -> Void = { _ in }) -> Readiness.Shard {
        var shard = Readiness.Shard(number: number, hasLease: true)
        change(&shard)
        return shard
    }

    @Test func allShardsMakeItReadySomeDegradedNoneNot() {
        let away: (inout Readiness.Shard) -> Void = { $0.hasLease = false }
        #expect(Readiness([shard(0), shard(1)]).state == .ready)
        #expect(Readiness([shard(0), shard(1)]).sentence == nil)
        #expect(Readiness([shard(0), shard(1, away)]).state == .degraded)
        #expect(Readiness([shard(0), shard(1, away)]).sentence == "the lease of shard 1 is not renewed")
        #expect(Readiness([shard(0, away), shard(1, away)]).state == .notReady)
        #expect(Readiness([shard(0, away)]).state == .notReady, "of one shard there is no some")
        #expect(Readiness(notServing: "the broker starts").sentence == "the broker starts")
    }

    @Test func theLastWritesAndLeasesAreTheTruth() {
        func sentence(_ change: (inout Readiness.Shard) -> Void) -> String? {
            Readiness([shard(3, change), shard(4)]).sentence
        }
        #expect(
            sentence { $0.insertFailure = "shard 3: the table is full" }
                == "shard 3 takes no messages: the table is full")
        #expect(
            sentence { $0.leaseFailure = "read-only" } == "the lease of shard 3 could not be renewed: read-only",
            "at once, not when the lease is over")
        #expect(
            sentence {
                $0.hasLease = false
                $0.leaseFailure = "shard 3: no connection"
                $0.insertFailure = "something else"
            } == "shard 3 is away: no connection")
        #expect(sentence { $0.oldestUnwritten = Readiness.longestUnwritten - 1 } == nil)
        #expect(
            sentence { $0.oldestUnwritten = Readiness.longestUnwritten }
                == "shard 3: outcomes of deliveries wait to be written for 15 s")
    }
}
