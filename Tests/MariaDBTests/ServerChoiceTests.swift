import Testing

@testable import MariaDB

/// Which server is used, by what looks at all of them found. Pure: times are nanoseconds from nowhere.
@Suite struct ServerChoiceTests {
    private static let second: Int64 = 1_000_000_000

    private func address(_ name: String) -> MariaDBConfiguration.Server { .tcp(host: name, port: 3306) }

    private func sight(
        _ name: String, _ state: ServerSight.State = .fit, cluster: MariaDBCluster? = nil,
        witnesses: [(rank: Int64, at: String)] = []
    ) -> ServerSight {
        ServerSight(
            address: address(name), identity: name, cluster: cluster, state: state,
            witnesses: witnesses.map { ServerWitness(rank: $0.rank, mark: serverMark(of: $0.at)) })
    }

    private func away(_ name: String, isRefused: Bool = false) -> ServerSight {
        let error = MariaDBError(
            code: 2002, message: "\(name) is away", isConnectionLost: true, isRefused: isRefused)
        return ServerSight(address: address(name), state: .away(error))
    }

    /// The server's name, or the reason for none.
    private func text(_ verdict: ServerChoice.Verdict) -> String {
        switch verdict {
        case .use(let server): server.identity
        case .none(let error): "none: \(error.message)"
        }
    }

    private func first(_ sights: ServerSight..., own: Int64 = 0) -> (String, ServerChoice) {
        var choice = ServerChoice()
        choice.ownRank = own
        return (text(choice.looked(sights, now: 0)), choice)
    }

    @Test func theFirstThatTakesWritesIsUsed() {
        #expect(first(sight("a"), sight("b", .readOnly)).0 == "a")
        #expect(first(sight("a", .readOnly), away("c"), sight("b")).0 == "b")
        #expect(first(sight("a", .unready("its node is not ready")), sight("b")).0 == "b")
        #expect(first(sight("a")).1.isInDoubt == false)
        #expect(ServerChoice().isInDoubt)
    }

    @Test func oneServerUnderTwoAddressesIsOne() {
        var twin = sight("a")
        twin.address = address("alias")
        let (name, choice) = first(sight("a"), twin)
        #expect(name == "a" && choice.conflict == nil)
    }

    @Test func whereNoneTakesWritesEachHasItsReason() throws {
        let (text, choice) = first(sight("a", .readOnly), sight("b", .unready("it has lost its cluster")), away("c"))
        #expect(text.contains("a:3306 is read-only") && text.contains("b:3306: it has lost its cluster"))
        #expect(text.contains("c is away") && choice.isInDoubt && choice.current == nil)
        var none = ServerChoice()
        guard case .none(let refused) = none.looked([away("a", isRefused: true), away("b", isRefused: true)], now: 0)
        else { return #expect(Bool(false), "none answers") }
        #expect(refused.isRefused && refused.message.contains("a is away") && refused.message.contains("b is away"))
        // One of them may come back and take us.
        guard case .none(let mixed) = none.looked([away("a", isRefused: true), away("b")], now: 0) else {
            return #expect(Bool(false), "none answers")
        }
        #expect(!mixed.isRefused && mixed.isConnectionLost)
    }

    // MARK: Commits that do not return

    @Test func aPrimaryThatWasCutOffIsLeftOnceAnotherTakesWrites() {
        var choice = ServerChoice()
        _ = choice.looked([sight("a"), sight("b", .readOnly)], now: 0)
        choice.used("a", writesReturn: false, now: 5 * Self.second)
        #expect(choice.isInDoubt)
        // Nobody else would do: it may be slow.
        #expect(text(choice.looked([sight("a"), sight("b", .readOnly)], now: 6 * Self.second)) == "a")
        #expect(choice.isInDoubt)
        #expect(text(choice.looked([sight("a"), sight("b")], now: 20 * Self.second)) == "b")
        #expect(choice.conflict == nil && !choice.isInDoubt)
    }

    @Test func anAnsweredWriteClearsTheServer() {
        var choice = ServerChoice()
        _ = choice.looked([sight("a"), sight("b", .readOnly)], now: 0)
        choice.used("a", writesReturn: false, now: Self.second)
        choice.used("a", writesReturn: nil, now: Self.second)
        #expect(choice.isInDoubt)
        choice.used("a", writesReturn: true, now: 2 * Self.second)
        #expect(!choice.isInDoubt)
    }

    @Test func silenceIsForgottenAfterAMinute() {
        let cluster = MariaDBCluster.galera("g")
        var choice = ServerChoice()
        let both = [sight("a", cluster: cluster), sight("b", cluster: cluster)]
        _ = choice.looked(both, now: 0)
        choice.used("a", writesReturn: false, now: Self.second)
        #expect(text(choice.looked(both, now: 2 * Self.second)) == "b")
        // It stays where it is: one writer.
        #expect(text(choice.looked(both, now: 62 * Self.second)) == "b")
        choice.used("b", writesReturn: false, now: 63 * Self.second)
        #expect(text(choice.looked(both, now: 64 * Self.second)) == "a")
    }

    @Test func aBusyServerIsNotTakenForOneThatIsAway() {
        var choice = ServerChoice()
        let cluster = MariaDBCluster.galera("g")
        _ = choice.looked([sight("a", cluster: cluster), sight("b", cluster: cluster)], now: 0)
        choice.used("a", writesReturn: true, now: 9 * Self.second)
        let look = [away("a"), sight("b", cluster: cluster)]
        #expect(text(choice.looked(look, now: 10 * Self.second)) == "a")
        #expect(text(choice.looked(look, now: 13 * Self.second)) == "b")
        // Nor is what was written before the connection failed a reason to wait.
        _ = choice.looked([sight("a", cluster: cluster), away("b")], now: 14 * Self.second)
        choice.used("a", writesReturn: true, now: 15 * Self.second)
        choice.lost()
        #expect(choice.isInDoubt)
        #expect(text(choice.looked(look, now: 15 * Self.second)) == "b")
    }

    /// A primary that stops takes no new connections, and answers those that it has for seconds.
    @Test func whoSucceedsInAClusterWithOneWriterIsTaken() {
        let group = MariaDBCluster.groupReplication("g", singlePrimary: true)
        var choice = ServerChoice()
        _ = choice.looked([sight("a", cluster: group), sight("b", .readOnly, cluster: group)], now: 0)
        choice.used("a", writesReturn: true, now: 9 * Self.second)
        #expect(text(choice.looked([away("a"), sight("b", .readOnly, cluster: group)], now: 10 * Self.second)) == "a")
        #expect(text(choice.looked([away("a"), sight("b", cluster: group)], now: 10 * Self.second)) == "b")
        #expect(choice.conflict == nil && !choice.isInDoubt)
        // Who says so is a member of the same group, which has one writer, and another one.
        let several = MariaDBCluster.groupReplication("g", singlePrimary: false)
        let other = MariaDBCluster.groupReplication("h", singlePrimary: true)
        #expect(choice.isSucceeded(by: sight("c", cluster: group)))
        for sight in [
            sight("b", cluster: group), sight("c", .readOnly, cluster: group), sight("c", cluster: other), sight("c"),
            away("c"),
        ] { #expect(!choice.isSucceeded(by: sight)) }
        _ = choice.looked([away("a"), sight("b", cluster: several)], now: 10 * Self.second)
        #expect(!choice.isSucceeded(by: sight("c", cluster: several)), "all of them write")
        // Of a pair nobody says that: one is busy, and the other should not take writes.
        var pair = ServerChoice()
        _ = pair.looked([sight("a"), sight("b", .readOnly)], now: 0)
        pair.used("a", writesReturn: true, now: 9 * Self.second)
        #expect(text(pair.looked([away("a"), sight("b")], now: 10 * Self.second)).contains("both take writes"))
        #expect(text(pair.looked([away("a"), sight("b")], now: 13 * Self.second)) == "b")
    }

    /// Somebody's search takes long, and a look that is made for it misses the server.
    @Test func aLookOutOfSuspicionAloneTakesNobodyAway() {
        var choice = ServerChoice()
        _ = choice.looked([sight("a"), sight("b", .readOnly)], now: 0)
        let look = [away("a"), sight("b", .readOnly)]
        #expect(text(choice.looked(look, isSuspicion: true, now: 10 * Self.second)) == "a")
        #expect(!choice.isInDoubt && choice.current?.identity == "a")
        // It is followed where another one takes writes, and where there is another reason to look.
        #expect(text(choice.looked([away("a"), sight("b")], isSuspicion: true, now: 11 * Self.second)) == "b")
        #expect(text(choice.looked([away("b"), sight("a", .readOnly)], now: 12 * Self.second)).hasPrefix("none"))
        #expect(choice.isInDoubt)
    }

    // MARK: One writer of a cluster

    @Test func brokersOfAClusterTakeTheSameServer() {
        let cluster = MariaDBCluster.galera("g")
        let rows: [(rank: Int64, at: String)] = [(7, "c"), (3, "b")]
        func look() -> [ServerSight] { ["a", "b", "c"].map { sight($0, cluster: cluster, witnesses: rows) } }
        // Who starts anew does not go back to the first.
        var choice = ServerChoice()
        #expect(text(choice.looked(look(), now: 0)) == "b")
        // Who was at another one follows.
        choice = ServerChoice()
        choice.ownRank = 7
        _ = choice.looked([away("a"), away("b"), sight("c", cluster: cluster)], now: 0)
        #expect(text(choice.looked(look(), now: 1)) == "b")
        // Where that one cannot be reached, the next one counts.
        #expect(
            text(choice.looked([sight("a", cluster: cluster, witnesses: rows), away("b"), look()[2]], now: 2)) == "c")
        #expect(choice.conflict == nil)
    }

    @Test func whoIsTheSmallestStaysWhereItIs() {
        let cluster = MariaDBCluster.groupReplication("g", singlePrimary: false)
        var choice = ServerChoice()
        choice.ownRank = 3
        _ = choice.looked([away("a"), sight("b", cluster: cluster)], now: 0)
        let rows: [(rank: Int64, at: String)] = [(3, "b"), (9, "a")]
        let all = ["a", "b"].map { sight($0, cluster: cluster, witnesses: rows) }
        #expect(text(choice.looked(all, now: 1)) == "b")
    }

    // MARK: Two primaries

    @Test func twoPrimariesAreRefused() {
        let (text, choice) = first(sight("a"), sight("b"))
        #expect(text.hasPrefix("none: a:3306 and b:3306 both take writes and are not one cluster"))
        #expect(choice.conflict != nil && choice.current == nil && choice.isInDoubt)
        // Two clusters are none, and in single-primary mode two that take writes are none.
        #expect(first(sight("a", cluster: .galera("g")), sight("b", cluster: .galera("h"))).1.conflict != nil)
        let group = MariaDBCluster.groupReplication("g", singlePrimary: true)
        #expect(first(sight("a", cluster: group), sight("b", cluster: group)).1.conflict != nil)
    }

    @Test func whoIsAtOneOfTwoPrimariesLeavesItUntilThatIsEnded() {
        var choice = ServerChoice()
        choice.ownRank = 1
        _ = choice.looked([sight("b")], now: 0)
        let own: [(rank: Int64, at: String)] = [(1, "b")]
        #expect(text(choice.looked([sight("a"), sight("b", witnesses: own)], now: 1)).hasPrefix("none"))
        #expect(choice.current == nil)
        #expect(text(choice.looked([sight("a", .readOnly), sight("b", witnesses: own)], now: 2)) == "b")
        #expect(choice.conflict == nil && !choice.isInDoubt)
    }

    @Test func ofTwoPrimariesTheOneWhereOthersLiveIsUsed() {
        var choice = ServerChoice()
        choice.ownRank = 1
        // Their rows at the stale one name the other, or are over.
        let look = [sight("a", witnesses: [(1, "a")]), sight("b", witnesses: [(2, "b"), (1, "b")])]
        #expect(text(choice.looked(look, now: 0)) == "b")
        #expect(choice.conflict?.contains("fence off") == true)
        // Where others live at both, nobody knows.
        #expect(text(choice.looked([sight("a", witnesses: [(4, "a")]), look[1]], now: 1)).hasPrefix("none"))
    }

    // MARK: Connections

    @Test func aProxyThatLeadsElsewhereMovesAllPools() {
        var choice = ServerChoice()
        #expect(choice.met(.init(address: address("proxy"), identity: "a")) == .same)
        #expect(choice.met(.init(address: address("proxy"), identity: "a")) == .same)
        #expect(choice.met(.init(address: address("proxy"), identity: "b")) == .other)
        #expect(choice.current?.identity == "b")
    }

    @Test func aConnectionThatWasBegunBeforeTheChoiceIsLate() {
        var choice = ServerChoice()
        _ = choice.looked([sight("b")], now: 0)
        #expect(choice.met(.init(address: address("a"), identity: "a")) == .late)
        #expect(choice.current?.identity == "b")
    }

    @Test func whoOnlyReadsTakesWhatAnswers() {
        var choice = ServerChoice()
        #expect(text(choice.lookedForReading([away("a"), sight("b", .readOnly)], now: 0)) == "b")
        #expect(text(choice.lookedForReading([sight("b", .readOnly), sight("c")], now: 1)) == "c")
    }
}
