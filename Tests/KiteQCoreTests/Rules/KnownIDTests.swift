import NIOCore
import Testing

@testable import KiteQCore

/// The table of ``KnownID``, cell by cell.
@Suite struct KnownIDTests {
    private static let id = MessageID(high: 1, low: 2)

    private static func publish(
        half: Bool, seq: Int64 = 9, topic: String = "trade", type: String = "paid", header: String = "p-pay",
        group: String = "p-connection", body: String = "body"
    ) -> Insertion {
        Insertion(
            seq: seq,
            message: Message(
                id: id, kind: .string, topic: topic, messageType: type, publisherGroup: header,
                expiresAt: 4_000_000_000_000, deliverLimit: 7, publishedAt: 0, header: ByteBuffer(),
                body: ByteBuffer(string: body)),
            route: half ? nil : Route([.init(group: "a", persistent: true)]), connectionGroup: group, firstCheckAt: 5)
    }

    private static func row(isHalf: Bool) -> KnownID.Row {
        KnownID.Row(
            seq: 5, isHalf: isHalf, topic: "trade", messageType: "paid", publisherGroup: "p-pay",
            body: BodyMark(publish(half: false).message))
    }

    private static func half(_ outcome: TransactionOutcome) -> KnownID.Half {
        KnownID.Half(
            outcome: outcome, publisherGroup: "p-pay", connectionGroup: "p-connection",
            subject: publish(half: true).subject)
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
        Case(known: KnownID(row: row(isHalf: true)), committed: .taken(.undecided), half: .taken(.otherMessage)),
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

    /// Nobody is told what another's message is, nor what became of it.
    @Test func anIDIsOneMessage() {
        for known in [
            KnownID(row: Self.row(isHalf: false)), KnownID(row: Self.row(isHalf: true), half: Self.half(.undecided)),
            KnownID(row: Self.row(isHalf: false), half: Self.half(.committed)),
        ] {
            for half in [false, true] {
                for other in [
                    Self.publish(half: half, topic: "feed"), Self.publish(half: half, type: "sent"),
                    Self.publish(half: half, header: "p-other"), Self.publish(half: half, header: "P-pay"),
                    Self.publish(half: half, header: "p-other", group: "p-other"),
                ] {
                    #expect(known.outcome(for: other) == .taken(.otherMessage))
                }
            }
        }
    }

    @Test func theBodyCounts() {
        let cases: [(KnownID, half: Bool)] = [
            (KnownID(row: Self.row(isHalf: false)), false),
            (KnownID(row: Self.row(isHalf: true), half: Self.half(.undecided)), true),
            (KnownID(row: Self.row(isHalf: false), half: Self.half(.committed)), true),
        ]
        for (known, half) in cases {
            for body in ["", "bodY", "body "] {
                #expect(known.outcome(for: Self.publish(half: half, body: body)) == .taken(.otherBody))
            }
        }
    }

    /// What is remembered of a half message that is gone is its own publisher's: another's id that is lost with a true ack would be worse.
    @Test func whatIsRememberedIsOneMessagesToo() {
        for outcome in [TransactionOutcome.committed, .rolledBack, .parked] {
            let known = KnownID(half: Self.half(outcome))
            for other in [
                Self.publish(half: true, topic: "feed"), Self.publish(half: true, type: "sent"),
                Self.publish(half: true, header: "p-other"), Self.publish(half: true, group: "p-other"),
            ] {
                #expect(known.outcome(for: other) == .taken(.otherMessage), "\(outcome)")
            }
            #expect(known.outcome(for: Self.publish(half: false, topic: "feed")) == nil, "a new life: \(outcome)")
        }
        // A row of a version that did not keep the subject.
        var old = Self.half(.committed)
        old.subject = nil
        #expect(KnownID(half: old).outcome(for: Self.publish(half: true)) == .committedBefore)
        #expect(KnownID(half: old).outcome(for: Self.publish(half: true, group: "p-other")) == .taken(.otherMessage))
    }

    /// Its commit would come from one of them, and be about the other's.
    @Test func aHalfMessageIsOfOneConnectionsGroup() {
        for outcome in [TransactionOutcome.undecided, .committed] {
            let known = KnownID(row: Self.row(isHalf: outcome == .undecided), half: Self.half(outcome))
            for group in ["p-pay", "p-other"] {
                #expect(known.outcome(for: Self.publish(half: true, group: group)) == .taken(.otherMessage))
            }
        }
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
        let all: [TakenID] = [.undecided, .committedMessage, .rolledBack, .parked, .otherMessage, .otherBody]
        for taken in all { #expect("\(taken)".contains("new id")) }
    }
}
