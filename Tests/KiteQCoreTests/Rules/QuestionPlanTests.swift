import Testing

@testable import KiteQCore

@Suite struct QuestionPlanTests {
    private typealias Candidate = QuestionPlan.Candidate
    private typealias Row = QuestionPlan.Row

    private func client(
        _ id: UInt64, isPublisher: Bool = false, isUnhelpful: Bool = false, preference: Int = 2
    ) -> Candidate {
        Candidate(id: id, isPublisher: isPublisher, isUnhelpful: isUnhelpful, preference: preference)
    }

    /// Whom so many questions about one message go to.
    private func asked(
        _ count: Int, _ plan: inout QuestionPlan, seq: Int64 = 7, _ candidates: [Candidate]
    ) -> [UInt64] {
        (0..<count).map { checks in
            let row = Row(seq: seq, checks: checks, dueAt: 0)
            guard let next = plan.next(for: row, among: candidates) else { return 0 }
            plan.asked(next.id, about: row)
            return next.id
        }
    }

    // MARK: Clients

    @Test func thePublisherIsFirstAndThenEachOther() {
        var plan = QuestionPlan()
        let clients = [client(1), client(2, isPublisher: true), client(3)]
        let ids = asked(6, &plan, clients)
        #expect(ids[0] == 2 && Set(ids[1...2]) == [1, 3])
        #expect(ids[3] == 2 && Set(ids[4...5]) == [1, 3], "and round again")
    }

    @Test func aSilentOneIsAskedAfterThoseThatAnswer() {
        var plan = QuestionPlan()
        #expect(asked(2, &plan, [client(1, isUnhelpful: true, preference: 4), client(2, preference: 1)]) == [2, 1])
        #expect(
            asked(2, &plan, seq: 8, [client(1, isPublisher: true, isUnhelpful: true), client(2)]) == [1, 2],
            "the first question is the publisher's all the same")
        // More silent ones than there are questions: the live one has its turn.
        let crowd = (10..<60).map { client($0, isUnhelpful: true) } + [client(1, preference: 1)]
        #expect(asked(1, &plan, seq: 9, crowd) == [1])
    }

    @Test func theBetterOneIsAskedFirstAndEqualsShareTheMessages() {
        var plan = QuestionPlan()
        #expect(asked(2, &plan, [client(1, preference: 1), client(2, preference: 2)]) == [2, 1])
        let equals = [client(1), client(2), client(3)]
        #expect(Set((0..<3).flatMap { asked(1, &plan, seq: 100 + $0, equals) }) == [1, 2, 3])
        #expect(plan.next(for: Row(seq: 1, checks: 0, dueAt: 0), among: []) == nil)
    }

    @Test func whoCameMeanwhileIsAskedNext() {
        var plan = QuestionPlan()
        #expect(asked(3, &plan, [client(1)]) == [1, 1, 1])
        let row = Row(seq: 7, checks: 3, dueAt: 0)
        #expect(plan.next(for: row, among: [client(1, isPublisher: true), client(2, preference: 1)])?.id == 2)
    }

    @Test func itsMemoryIsBounded() {
        var plan = QuestionPlan(limit: 10)
        for seq in Int64(1)...1_000 { _ = asked(1, &plan, seq: seq, [client(1), client(2)]) }
        let row = Row(seq: 1_000, checks: 1, dueAt: 0)
        let other = plan.next(for: row, among: [client(1), client(2)])?.id
        var again = QuestionPlan()
        #expect(other != asked(1, &again, seq: 1_000, [client(1), client(2)])[0], "the last ones are remembered")
        #expect(!plan.isOthersTurn(Row(seq: 1, checks: 1, dueAt: 0), isOwn: true, isElsewhere: true, now: 0, grace: 3))
    }

    // MARK: Turns

    @Test func theFirstQuestionIsForTheBrokerThatTookTheMessage() {
        let plan = QuestionPlan()
        let row = Row(seq: 7, checks: 0, dueAt: 1_000)
        func isOthers(isOwn: Bool, isElsewhere: Bool = true, now: Timestamp = 1_000) -> Bool {
            plan.isOthersTurn(row, isOwn: isOwn, isElsewhere: isElsewhere, now: now, grace: 300)
        }
        #expect(!isOthers(isOwn: true))
        #expect(isOthers(isOwn: false) && isOthers(isOwn: false, now: 1_299))
        #expect(!isOthers(isOwn: false, now: 1_300), "it is not left for ever")
        #expect(!isOthers(isOwn: false, isElsewhere: false), "who is alone is not late")
        #expect(!isOthers(isOwn: false, now: 999), "one that lies further ahead than it may has waited for long")
    }

    @Test func brokersTakeTurns() {
        // Three brokers, of which only the last has a client that answers; each looks at the row every 100 ms, in this order.
        var plans = [QuestionPlan(), QuestionPlan(), QuestionPlan()]
        var row = Row(seq: 7, checks: 0, dueAt: 0)
        var order: [Int] = []
        var now: Timestamp = 0
        while order.count < 6 {
            for broker in plans.indices where order.count < 6 && row.dueAt <= now {
                let isOthers = plans[broker].isOthersTurn(
                    row, isOwn: broker == 0, isElsewhere: true, now: now, grace: 300)
                if isOthers { continue }
                plans[broker].asked(1, about: row)
                order.append(broker)
                row = Row(seq: 7, checks: row.checks + 1, dueAt: now + 1_000)
            }
            now += 100
        }
        #expect(Array(order.prefix(3)) == [0, 1, 2])
        for (one, next) in zip(order, order.dropFirst()) { #expect(one != next) }
    }

    @Test func whoIsLeftAloneAsksEachTime() {
        var plan = QuestionPlan()
        for checks in 0..<5 {
            let row = Row(seq: 7, checks: checks, dueAt: 1_000)
            #expect(!plan.isOthersTurn(row, isOwn: checks == 0, isElsewhere: false, now: 1_000, grace: 300))
            plan.asked(1, about: row)
            let next = Row(seq: 7, checks: checks + 1, dueAt: 2_000)
            #expect(plan.isOthersTurn(next, isOwn: true, isElsewhere: true, now: 2_299, grace: 300))
            #expect(!plan.isOthersTurn(next, isOwn: true, isElsewhere: true, now: 2_300, grace: 300))
        }
    }
}
