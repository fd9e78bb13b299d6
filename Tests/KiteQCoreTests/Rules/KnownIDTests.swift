import NIOCore
import Testing

@testable import KiteQCore

/// The table of ``KnownID``, cell by cell.
@Suite struct KnownIDTests {
    private static let id = MessageID(high: 1, low: 2)

    private static func publish(
        half: Bool, seq: Int64 = 9, topic: String = "trade", type: String = "paid", group: String = "p-connection"
    ) -> Insertion {
        Insertion(
            seq: seq,
            message: Message(
                id: id, kind: .string, topic: topic, messageType: type, publisherGroup: "p-pay",
                expiresAt: 4_000_000_000_000, deliverLimit: 7, publishedAt: 0, header: ByteBuffer(),
                body: ByteBuffer()),
            route: half ? nil : Route([.init(group: "a", persistent: true)]), connectionGroup: group, firstCheckAt: 5)
    }

    private static func row(isHalf: Bool) -> KnownID.Row {
        KnownID.Row(seq: 5, isHalf: isHalf, topic: "trade", messageType: "paid")
    }

    private static func half(_ outcome: TransactionOutcome) -> KnownID.Half {
        KnownID.Half(outcome: outcome, groups: ["p-pay", "p-connection"])
    }

    struct Case: Sendable {
        var known: KnownID
        var committed: Insertion.Outcome?
        var half: Insertion.Outcome?
    }

    static let cases = [
        Case(known: KnownID(), committed: nil, half: nil),
        Case(
            known: KnownID(row: row(isHalf: false)), committed: .duplicate(of: 5), half: .taken(.committedMessage)),
        Case(
            known: KnownID(row: row(isHalf: false), half: half(.committed)), committed: .duplicate(of: 5),
            half: .duplicate(of: 5)),
        Case(
            known: KnownID(row: row(isHalf: true), half: half(.undecided)), committed: .taken(.undecided),
            half: .duplicate(of: 5)),
        Case(known: KnownID(half: half(.committed)), committed: nil, half: .committedBefore),
        Case(known: KnownID(half: half(.rolledBack)), committed: nil, half: .taken(.rolledBack)),
        Case(known: KnownID(half: half(.parked)), committed: nil, half: .taken(.parked)),
        // A new life, after one that was rolled back, parked, or committed and done.
        Case(
            known: KnownID(row: row(isHalf: false), half: half(.rolledBack)), committed: .duplicate(of: 5),
            half: .taken(.committedMessage)),
        Case(
            known: KnownID(row: row(isHalf: false), half: half(.parked)), committed: .duplicate(of: 5),
            half: .taken(.committedMessage)),
        // Read one after the other, with its answer in between.
        Case(
            known: KnownID(row: row(isHalf: true), half: half(.committed)), committed: .duplicate(of: 5),
            half: .duplicate(of: 5)),
        Case(
            known: KnownID(row: row(isHalf: true), half: half(.rolledBack)), committed: nil, half: .taken(.rolledBack)),
        Case(known: KnownID(row: row(isHalf: true), half: half(.parked)), committed: nil, half: .taken(.parked)),
        Case(known: KnownID(half: half(.undecided)), committed: nil, half: nil),
        // What is not known of a half message's groups lets nobody in.
        Case(known: KnownID(row: row(isHalf: true)), committed: .taken(.undecided), half: .taken(.otherPublisher)),
    ]

    @Test(arguments: cases) func whatBecomesOfAPublish(of example: Case) {
        #expect(example.known.outcome(for: Self.publish(half: false)) == example.committed)
        #expect(example.known.outcome(for: Self.publish(half: true)) == example.half)
    }

    @Test func anEarlierTryIsTheMessageItself() {
        let own = KnownID(row: Self.row(isHalf: true), half: Self.half(.undecided))
        #expect(own.outcome(for: Self.publish(half: true, seq: 5)) == .stored)
        #expect(KnownID(row: Self.row(isHalf: false)).outcome(for: Self.publish(half: false, seq: 5)) == .stored)
        // Its commit was faster than the reply to its publish.
        let committed = KnownID(row: Self.row(isHalf: false), half: Self.half(.committed))
        #expect(committed.outcome(for: Self.publish(half: true, seq: 5)) == .stored)
    }

    @Test func anIDIsOneMessage() {
        let other = Insertion.Outcome.taken(.otherMessage(topic: "trade", messageType: "paid"))
        for known in [
            KnownID(row: Self.row(isHalf: false)), KnownID(row: Self.row(isHalf: true), half: Self.half(.undecided)),
        ] {
            for half in [false, true] {
                #expect(known.outcome(for: Self.publish(half: half, topic: "feed")) == other)
                #expect(known.outcome(for: Self.publish(half: half, type: "sent")) == other)
            }
        }
    }

    @Test func whoMayNotAnswerDoesNotShareAHalfMessage() {
        let known = KnownID(row: Self.row(isHalf: true), half: Self.half(.undecided))
        #expect(known.outcome(for: Self.publish(half: true, group: "p-pay")) == .duplicate(of: 5))
        #expect(known.outcome(for: Self.publish(half: true, group: "p-other")) == .taken(.otherPublisher))
    }

    @Test func whatIsStoredIsKnown() {
        #expect(KnownID(Self.publish(half: true)).outcome(for: Self.publish(half: true, seq: 10)) == .duplicate(of: 9))
        #expect(
            KnownID(Self.publish(half: true)).outcome(for: Self.publish(half: false, seq: 10)) == .taken(.undecided))
        #expect(
            KnownID(Self.publish(half: false)).outcome(for: Self.publish(half: true, seq: 10))
                == .taken(.committedMessage))
    }

    @Test func everyRefusalSaysWhatToDo() {
        let all: [TakenID] = [
            .undecided, .committedMessage, .rolledBack, .parked, .otherMessage(topic: "t", messageType: "m"),
            .otherPublisher,
        ]
        for taken in all { #expect("\(taken)".contains("new id")) }
    }
}
