import KiteQCore
import NIOCore
import Testing

@testable import KiteQStore

/// What operators see of every store, whatever it is made of.
@Suite(.timeLimit(.minutes(2))) struct OperatorConformanceTests {
    static let stores = StoreUnderTest.available

    // MARK: Brokers and shards

    @Test(arguments: stores) func livesOfBrokersAreListed(kind: StoreUnderTest) async throws {
        try await kind.withWholeStore { store, open async throws in
            try await store.setPresence(["a", "b"], shard: 0)
            try await running(open()) { other in
                let number = try await other.join(as: BrokerIdentity(name: "other", address: "10.0.0.2:1"))
                try await running(open()) { later in
                    let next = try await later.join(as: BrokerIdentity(name: "other", address: "10.0.0.3:1"))
                    let listing = await store.brokers()
                    #expect(listing.failures.isEmpty && listing.brokers.count == 3)
                    let byNumber = Dictionary(uniqueKeysWithValues: listing.brokers.map { ($0.number, $0) })
                    #expect(byNumber[number]?.state == .dead && byNumber[next]?.state == .alive)
                    #expect(byNumber[next]?.address == "10.0.0.3:1" && byNumber[next]?.name == "other")
                    let lease = try #require(byNumber[next]?.leases.first)
                    #expect(lease.shard == 0 && (1...10_000).contains(lease.remaining))
                    let first = try #require(listing.brokers.first { $0.name == "broker" })
                    #expect(first.groups == ["a", "b"] && first.state == .alive)
                    #expect(abs(first.joinedAt - StoreClock.wall()) < 60_000)
                }
            }
        }
    }

    @Test(arguments: stores) func aShardSaysWhatItHas(kind: StoreUnderTest) async throws {
        try await kind.withWholeStore { store, _ async throws in
            let empty = try #require(await store.shardReports().first?.contents)
            #expect(empty.half == .zero && empty.fresh == .zero && empty.oldestAcceptedAt == nil)
            var messages = Messages()
            let fresh = try await store.put((0..<7).map { _ in messages.insertion(["a"]) })
            try await store.put((0..<3).map { _ in messages.insertion(nil) })
            let settled = [
                Settlement(seq: fresh[5].seq, pending: [.init(group: "a", attempts: 3, dueAt: 9)]),
                Settlement(seq: fresh[6].seq, dead: [.init(group: "a", attempts: 7, reason: .attemptsUsedUp)]),
            ]
            #expect(try await store.settle(settled, shard: 0).isEmpty)
            let report = try #require(await store.shardReports().first)
            let contents = try #require(report.contents)
            #expect(report.failure == nil && report.shard == 0)
            #expect(contents.half == BoundedCount(3) && contents.fresh == BoundedCount(5))
            #expect(contents.tracked == BoundedCount(1) && contents.deadLetters == BoundedCount(1))
            #expect(contents.oldestAcceptedAt == SequenceGenerator.timestamp(of: fresh[0].seq))
            #expect(abs(contents.serverTime - StoreClock.wall()) < 60_000)
            guard kind != .memory else { return }
            #expect(contents.product == (kind == .mySQL ? "MySQL" : "MariaDB") && !contents.version.isEmpty)
            #expect(contents.tables.map(\.name).contains("kite_message") && contents.estimatedBytes > 0)
            #expect(contents.historyListLength != nil, "root may see it")
            #expect(report.pool.limit == 6 && report.pool.open > 0)
        }
    }

    // MARK: Groups and topics

    @Test(arguments: stores) func aGroupSaysWhatItIsOwed(kind: StoreUnderTest) async throws {
        try await kind.withWholeStore { store, _ async throws in
            var messages = Messages()
            try await store.setPresence(["a"], shard: 0)
            let both = try await store.put((0..<6).map { _ in messages.insertion(["a", "b"]) })
            try await store.put((0..<2).map { _ in messages.insertion(["a"]) })
            let settled = [
                Settlement(
                    seq: both[0].seq,
                    dead: [.init(group: "b", attempts: 7, reason: .attemptsUsedUp, lastError: "no")],
                    pending: [.init(group: "a", attempts: 1, dueAt: 5_000, lastError: "later")]),
                Settlement(
                    seq: both[1].seq,
                    pending: [.init(group: "a", attempts: 1, dueAt: 4_000), .init(group: "b", attempts: 0, dueAt: 0)]),
                Settlement(seq: both[2].seq, pending: [.init(held: "a", attempts: 2)]),
            ]
            #expect(try await store.settle(settled, shard: 0).isEmpty)

            let (a, failures) = await store.groupReport(of: "a")
            #expect(failures.isEmpty)
            #expect(a.fresh == BoundedCount(5) && a.retrying == BoundedCount(2) && a.held == BoundedCount(1))
            #expect(a.away == .zero && a.waiting == BoundedCount(8) && a.deadLetters == .zero)
            #expect(a.nextDueAt == 4_000 && a.oldestAcceptedAt == SequenceGenerator.timestamp(of: both[0].seq))
            #expect(a.connectedTo.count == 1 && a.pause == nil)
            let b = await store.groupReport(of: "b").report
            #expect(b.fresh == BoundedCount(3) && b.away == BoundedCount(1) && b.deadLetters == BoundedCount(1))
            #expect(b.nextDueAt == nil && b.connectedTo.isEmpty)
            #expect(await store.groupReport(of: "nobody").report == GroupReport(name: "nobody"))

            _ = try await store.pause("c", by: "anna", reason: "poison")
            let all = await store.groupReports(after: nil, limit: 10)
            #expect(all.groups.map(\.name) == ["a", "b", "c"] && all.next == nil && all.failures.isEmpty)
            #expect(all.groups[0] == a && all.groups[1] == b)
            #expect(all.groups[2].pause?.pausedBy == "anna" && all.groups[2].waiting == .zero)
        }
    }

    @Test(arguments: stores) func groupsComeInPagesByName(kind: StoreUnderTest) async throws {
        try await kind.withWholeStore { store, _ async throws in
            var messages = Messages()
            let names = (10..<60).map { "g\($0)" }
            try await store.put(names.map { messages.insertion([$0, "all"]) })
            try await store.setPresence(["connected"], shard: 0)
            _ = try await store.pause("paused", by: "anna", reason: "")
            var found: [GroupReport] = []
            var next: String?
            repeat {
                let page = await store.groupReports(after: next, limit: 7)
                #expect(page.groups.count <= 7)
                found += page.groups
                next = page.next
            } while next != nil
            #expect(found.map(\.name) == ["all", "connected"] + names + ["paused"])
            #expect(found[0].fresh == BoundedCount(50) && found[2].fresh == BoundedCount(1))
        }
    }

    @Test(arguments: stores) func topicsAreCounted(kind: StoreUnderTest) async throws {
        try await kind.withWholeStore { store, _ async throws in
            #expect(await store.topicCounts() == TopicCounts(counts: [], isExact: true, looked: 0))
            var messages = Messages()
            try await store.put((0..<4).map { _ in messages.insertion(["a"]) })
            try await store.put((0..<2).map { _ in messages.insertion(nil) })
            try await store.put([messages.insertion(["a"], Messages.message(topic: "feed"))])
            let counts = await store.topicCounts()
            #expect(counts.isExact && counts.looked == 7 && counts.failures.isEmpty)
            #expect(
                counts.counts == [
                    .init(topic: "feed", state: .fresh, messages: 1), .init(topic: "trade", state: .half, messages: 2),
                    .init(topic: "trade", state: .fresh, messages: 4),
                ])
        }
    }

    // MARK: One message

    @Test(arguments: stores) func aMessageTellsItsStory(kind: StoreUnderTest) async throws {
        try await kind.withWholeStore { store, _ async throws in
            #expect(try await store.story(of: .random()) == nil)
            var messages = Messages()
            let large = Messages.message().with(body: ByteBuffer(repeating: 0x61, count: 100_000))
            let insertion = messages.insertion(["a", "b", "c"], large)
            try await store.put([insertion])
            let id = insertion.message.id
            let fresh = try #require(try await store.story(of: id))
            #expect(fresh.groups.map(\.group) == ["a", "b", "c"] && fresh.groups.allSatisfy { $0.state == .fresh })
            #expect(fresh.groups[0].ownerName == "broker" && fresh.message?.owner == fresh.groups[0].owner)
            #expect(fresh.content?.bodySize == 100_000 && fresh.content?.body.readableBytes == 64 << 10)
            #expect(fresh.content?.header == large.header && !fresh.isDone && fresh.transaction == nil)
            #expect(fresh.message?.seq == insertion.seq && fresh.message?.topic == "trade")
            #expect(fresh.events.map(\.kind) == [.accepted, .published, .expiry])

            let settlement = Settlement(
                seq: insertion.seq,
                dead: [.init(group: "a", attempts: 7, reason: .attemptsUsedUp, lastError: "refused")],
                pending: [
                    .init(group: "b", attempts: 2, dueAt: 3_000_000_000_000, lastError: "slow"),
                    .init(held: "c", attempts: 1),
                ])
            #expect(try await store.settle([settlement], shard: 0).isEmpty)
            let tracked = try #require(try await store.story(of: id))
            let letter = try #require(tracked.deadLetters.first)
            #expect(tracked.message?.state == .tracked)
            #expect(
                tracked.groups[0].state == .dead(letter.id, reason: .attemptsUsedUp, diedAt: letter.diedAt)
                    && tracked.groups[0].attempts == 7 && tracked.groups[0].lastError == "refused")
            #expect(tracked.groups[1].state == .retrying(dueAt: 3_000_000_000_000))
            #expect(tracked.groups[1].attempts == 2 && tracked.groups[1].lastError == "slow")
            #expect(tracked.groups[2].state == .held && tracked.groups[2].ownerName == "broker")
            #expect(tracked.events.map(\.kind).contains(.died(group: "a", reason: .attemptsUsedUp)))
            #expect(tracked.events.filter(\.isExpected).map(\.kind) == [.retry(group: "b"), .expiry])

            _ = try await store.settle(
                [Settlement(seq: insertion.seq, wasTracked: true, done: ["c"])], shard: 0)
            let left = try #require(try await store.story(of: id))
            #expect(left.groups.map(\.group) == ["a", "b"], "who is done has left no trace")
        }
    }

    @Test(arguments: stores) func ofADeadMessageItsLetterTells(kind: StoreUnderTest) async throws {
        try await kind.withWholeStore { store, _ async throws in
            var messages = Messages()
            let insertion = try await store.put([messages.insertion(["a"])])[0]
            let dead = Settlement(seq: insertion.seq, dead: [.init(group: "a", attempts: 7, reason: .expired)])
            #expect(try await store.settle([dead], shard: 0).isEmpty)
            let story = try #require(try await store.story(of: insertion.message.id))
            #expect(story.isDone && story.message == nil && story.groups.count == 1)
            #expect(story.content?.body == insertion.message.body && story.content?.bodySize == 4)
            #expect(story.events.map(\.kind) == [.accepted, .published, .died(group: "a", reason: .expired)])
        }
    }
}
