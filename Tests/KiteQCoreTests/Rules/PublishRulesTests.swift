import Testing

@testable import KiteQCore

@Suite struct PublishRulesTests {
    private static let now: Timestamp = 1_795_219_251_500
    private static let nowSeconds: Int64 = 1_795_219_251
    private static let week: Timestamp = 604_800_000
    private static let id = "0123456789abcdef0123456789abcdef"

    private static func request() -> PublishRules.Request {
        PublishRules.Request(
            id: MessageID(id), topic: "trade", messageType: "pay-succ", group: "p-trade", expiredTime: -1,
            deliverLimit: 100,
            isCommitted: true, isFly: false, createTime: nowSeconds)
    }

    private static func check(
        now: Timestamp = now, topics: Set<String> = ["feed", "trade"], _ change: (inout PublishRules.Request) -> Void
    ) -> PublishRules.Verdict {
        var request = request()
        change(&request)
        return PublishRules.check(request, topics: ServedTopics(topics), now: now)
    }

    private static func accepted(
        now: Timestamp = now, _ change: (inout PublishRules.Request) -> Void
    ) throws -> PublishRules.Accepted {
        let verdict = check(now: now, change)
        guard case .accept(let accepted) = verdict else {
            throw InvalidRule("\(verdict)")
        }
        return accepted
    }

    @Test func acceptsAGoodOne() throws {
        let accepted = try Self.accepted { _ in }
        #expect(accepted.id == MessageID(Self.id))
        #expect(accepted.kind == .committed)
        #expect(accepted.expiresAt == Self.now + Self.week)
        #expect(accepted.deliverLimit == 100)
        #expect(accepted.createdAt == Self.nowSeconds * 1_000)
    }

    /// What holds for its topic, and not what holds for another one.
    @Test func theTopicSaysHowLongAndHowOften() throws {
        var own = TopicSettings()
        (own.publishing.longestLife, own.publishing.mostAttempts) = (5_000, 4)
        let topics = ServedTopics(["trade", "feed"], TopicCatalog(own: [BindingName("trade"): own]))
        func check(_ topic: String, attempts: Int32 = 100) -> PublishRules.Verdict {
            var request = Self.request()
            (request.topic, request.deliverLimit) = (topic, attempts)
            return PublishRules.check(request, topics: topics, now: Self.now)
        }
        guard case .accept(let trade) = check("trade"),
            case .accept(let few) = check("trade", attempts: 3),
            case .accept(let feed) = check("feed")
        else { throw InvalidRule("they are within their bounds") }
        #expect(trade.expiresAt == Self.now + 5_000 && trade.deliverLimit == 4 && few.deliverLimit == 3)
        #expect(feed.expiresAt == Self.now + Self.week && feed.deliverLimit == 100)
    }

    @Test(arguments: [
        (true, false, PublishRules.Kind.committed), (false, false, .half), (true, true, .fly),
    ])
    func kinds(_ commit: Bool, _ fly: Bool, _ kind: PublishRules.Kind) throws {
        let accepted = try Self.accepted {
            $0.isCommitted = commit
            $0.isFly = fly
        }
        #expect(accepted.kind == kind)
    }

    @Test func refusesFlyWithoutCommit() {
        let verdict = Self.check {
            $0.isCommitted = false
            $0.isFly = true
        }
        #expect(verdict == .refuse(.flyWithoutCommit))
    }

    @Test(arguments: [
        "", "x", String(id.dropLast()), id + "0", "g" + id.dropFirst(), "01234567-89ab-cdef-0123-456789abcdef",
    ])
    func refusesABadID(_ id: String) {
        #expect(Self.check { $0.id = MessageID(id) } == .refuse(.badID))
    }

    @Test(arguments: [
        "Trade", "trad", "trade ", "tradez", "a", "z", "feed\0", "t*", "*",
    ])
    func refusesATopicItDoesNotServe(_ topic: String) {
        #expect(Self.check { $0.topic = topic } == .refuse(.topicNotServed(topic)))
        #expect(Self.check(topics: []) { _ in } == .refuse(.topicNotServed("trade")))
    }

    @Test(arguments: [0, 5, 50]) func aTopicIsServedByteForByte(others: Int) {
        let (composed, decomposed) = ("caf\u{E9}", "cafe\u{301}")
        #expect(composed == decomposed)
        let topics = Set((0..<others).map { "other-\($0)" } + [composed])
        let refused = Self.check(topics: topics) { $0.topic = decomposed }
        guard case .refuse(.topicNotServed) = refused else {
            Issue.record("\(refused)")
            return
        }
        for topic in topics {
            guard case .accept = Self.check(topics: topics, { $0.topic = topic }) else {
                Issue.record("\(topic) is served in its own spelling")
                return
            }
        }
    }

    @Test(arguments: PublishRules.Refusal.Name.allCases) func namesHave1To255Bytes(_ name: PublishRules.Refusal.Name) {
        func check(_ text: String) -> PublishRules.Verdict {
            Self.check(topics: ["feed", "trade", text]) { request in
                switch name {
                case .topic: request.topic = text
                case .messageType: request.messageType = text
                case .group: request.group = text
                }
            }
        }
        for good in ["x", String(repeating: "x", count: 255), String(repeating: "é", count: 127) + "x"] {
            guard case .accept = check(good) else {
                Issue.record("\(name) of \(good.utf8.count) bytes: \(check(good))")
                continue
            }
        }
        for bad in ["", String(repeating: "x", count: 256), String(repeating: "é", count: 128)] {
            #expect(check(bad) == .refuse(.badName(name)))
        }
        // One character of many bytes.
        #expect(check("e" + String(repeating: "\u{301}", count: 128)) == .refuse(.badName(name)))
    }

    @Test(
        arguments: [
            (Int64.min, week), (-1, week), (0, week), (1, nil), (nowSeconds - 10, nil), (nowSeconds - 1, nil),
            (nowSeconds, nil),
            (nowSeconds + 1, 500), (nowSeconds + 60, 59_500), (nowSeconds + 604_800, week - 500),
            (nowSeconds + 604_801, week), (nowSeconds + 604_802, week), (nowSeconds * 1_000, week),
            (Int64.max / 1_000, week), (Int64.max / 1_000 + 1, week), (Int64.max, week),
        ] as [(Int64, Timestamp?)])
    func expiry(_ expiredTime: Int64, _ life: Timestamp?) {
        let verdict = Self.check { $0.expiredTime = expiredTime }
        guard let life else {
            #expect(verdict == .refuse(.expired(ago: Self.now - expiredTime * 1_000)))
            return
        }
        guard case .accept(let accepted) = verdict else {
            Issue.record("\(verdict)")
            return
        }
        #expect(accepted.expiresAt == Self.now + life)
    }

    @Test func expiryOnTheVeryMillisecond() throws {
        let whole = Self.nowSeconds * 1_000
        #expect(Self.check(now: whole) { $0.expiredTime = Self.nowSeconds } == .refuse(.expired(ago: 0)))
        #expect(try Self.accepted(now: whole - 1) { $0.expiredTime = Self.nowSeconds }.expiresAt == whole)
        #expect(
            try Self.accepted(now: whole) { $0.expiredTime = Self.nowSeconds + 604_800 }.expiresAt == whole + Self.week)
        #expect(
            try Self.accepted(now: whole - 1) { $0.expiredTime = Self.nowSeconds + 604_800 }.expiresAt
                == whole - 1 + Self.week)
    }

    @Test(
        arguments: [
            (Int32.min, 100), (-1, 100), (0, 100), (1, 1), (2, 2), (3, 3), (99, 99), (100, 100), (101, 100),
            (.max, 100),
        ] as [(Int32, Int)])
    func deliverLimit(_ limit: Int32, _ expected: Int) throws {
        #expect(try Self.accepted { $0.deliverLimit = limit }.deliverLimit == expected)
    }

    @Test(
        arguments: [
            (Int64.min, nil), (-1, nil), (0, nil), (1, 1_000), (nowSeconds, nowSeconds * 1_000),
            (nowSeconds + 3_600, (nowSeconds + 3_600) * 1_000), (253_402_300_799, 253_402_300_799_000),
            (253_402_300_800, nil), (nowSeconds * 1_000, nil), (.max / 1_000, nil), (.max, nil),
        ] as [(Int64, Timestamp?)])
    func createTime(_ createTime: Int64, _ expected: Timestamp?) throws {
        #expect(try Self.accepted { $0.createTime = createTime }.createdAt == expected ?? Self.now)
    }

    @Test func feedbackSaysWhyAndStaysShort() {
        let longest = String(repeating: "t", count: 255)
        let refusals: [PublishRules.Refusal] =
            [.badID, .topicNotServed(longest), .flyWithoutCommit, .expired(ago: .max)]
            + PublishRules.Refusal.Name.allCases.map { .badName($0) }
        for refusal in refusals { #expect((20...300).contains(refusal.feedback.utf8.count), "\(refusal.feedback)") }
        #expect(Set(refusals.map(\.feedback)).count == refusals.count)
        #expect(PublishRules.Refusal.topicNotServed("feed").feedback == "the topic feed is not served here")
    }

    /// Every combination of good and bad in each field: accepted only if all are good.
    @Test func refusedIfAnythingIsWrong() {
        for bits in 0..<64 {
            let verdict = Self.check { request in
                if bits & 1 != 0 { request.id = MessageID("no") }
                if bits & 2 != 0 { request.topic = "unknown" }
                if bits & 4 != 0 { request.messageType = "" }
                if bits & 8 != 0 { request.group = String(repeating: "g", count: 256) }
                if bits & 16 != 0 { (request.isFly, request.isCommitted) = (true, false) }
                if bits & 32 != 0 { request.expiredTime = 1 }
            }
            guard case .accept = verdict else {
                #expect(bits != 0)
                continue
            }
            #expect(bits == 0)
        }
    }
}
