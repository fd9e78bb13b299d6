import KiteQCore
import Testing

@testable import KiteQBroker

@Suite struct AnswersAsideTests {
    private func answer(_ id: MessageID, _ answer: TransactionDecision.Answer = .commit) -> TransactionAnswer {
        TransactionAnswer(
            decision: TransactionDecision(
                messageID: id, answer: answer, connectionGroup: "p-pay", needsContent: false),
            peer: "peer", arrivedAt: 0)
    }

    private func put(_ answer: TransactionAnswer, _ aside: inout AnswersAside) {
        let isKept = aside.put(answer, now: 0)
        #expect(isKept)
    }

    private func take(_ limit: Int = 10, now: MonotonicTime, _ aside: inout AnswersAside) -> [TransactionAnswer] {
        aside.take(limit: limit, now: now)
    }

    @Test func answersToOneMessageKeepTheirOrder() {
        var aside = AnswersAside(capacity: 10)
        let (one, other) = (MessageID.random(), MessageID.random())
        for answer in [answer(one), answer(one, .rollBack), answer(other)] { put(answer, &aside) }
        #expect(aside.count == 3 && aside.has(one) && aside.nextDue == AnswersAside.firstWait)
        #expect(take(now: 0, &aside).isEmpty)
        let first = aside.take(limit: 10, now: AnswersAside.firstWait)
        #expect(Set(first.map(\.decision.messageID)) == [one, other])
        #expect(first.allSatisfy { $0.decision.answer == .commit && $0.decision.needsContent })
        // Each once.
        #expect(take(now: .max, &aside).isEmpty)
        aside.passed(one, now: 5)
        aside.passed(other, now: 5)
        #expect(!aside.has(other) && aside.nextDue == 5)
        #expect(take(now: 5, &aside).map(\.decision.answer) == [.rollBack])
        aside.passed(one, now: 5)
        #expect(aside.count == 0 && aside.nextDue == nil)
    }

    @Test func itWaitsLongerEachTime() {
        var aside = AnswersAside(capacity: 10)
        let id = MessageID.random()
        put(answer(id), &aside)
        var now = AnswersAside.firstWait
        var waits: [MonotonicTime] = []
        for _ in 0..<6 {
            #expect(take(1, now: now, &aside).count == 1)
            aside.failed(id, now: now)
            let due = aside.nextDue ?? 0
            waits.append(due - now)
            now = due
        }
        let second: MonotonicTime = 1_000_000_000
        #expect(waits == [2 * second, 4 * second, 8 * second, 10 * second, 10 * second, 10 * second])
    }

    @Test func itIsBounded() {
        var aside = AnswersAside(capacity: 2)
        let id = MessageID.random()
        for _ in 0..<2 { put(answer(id), &aside) }
        for one in [id, .random()] {
            let isKept = aside.put(answer(one), now: 0)
            #expect(!isKept)
        }
        #expect(aside.count == 2)
    }
}
