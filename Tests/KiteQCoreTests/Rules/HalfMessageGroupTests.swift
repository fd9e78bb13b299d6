import NIOCore
import Testing

@testable import KiteQCore

/// Who is asked about a half message, and whose answer counts.
@Suite struct HalfMessageGroupTests {
    private static func answer(_ group: String, trustsHeader: Bool) -> TransactionDecision {
        TransactionDecision(
            messageID: MessageID(high: 1, low: 2), answer: .commit, connectionGroup: group, trustsHeader: trustsHeader,
            needsContent: false, heldSeq: 7)
    }

    private static func due(header: String, connection: String) -> DueTransaction {
        DueTransaction(
            seq: 5,
            message: Message(
                id: MessageID(high: 1, low: 2), kind: .string, topic: "trade", messageType: "paid",
                publisherGroup: header, expiresAt: 9, deliverLimit: 7, publishedAt: 0, header: ByteBuffer(),
                body: ByteBuffer()),
            connectionGroup: connection, checks: 0, nextCheckAt: 1)
    }

    @Test func whereGroupsShowWhoTheyAreItIsTheConnectionsAlone() {
        let mayDecide = { Self.answer($0, trustsHeader: false).mayDecide(publisherGroup: "victim", publishedBy: "own") }
        #expect(mayDecide("own") && !mayDecide("victim") && !mayDecide("other"))
        #expect(Self.due(header: "victim", connection: "own").groups(trustingHeader: false) == ["own"])
    }

    @Test func whereNobodyDoesItIsTheHeadersToo() {
        let mayDecide = { Self.answer($0, trustsHeader: true).mayDecide(publisherGroup: "header", publishedBy: "own") }
        #expect(mayDecide("own") && mayDecide("header") && !mayDecide("other"))
        #expect(Self.due(header: "header", connection: "own").groups(trustingHeader: true) == ["header", "own"])
        #expect(Self.due(header: "own", connection: "own").groups(trustingHeader: true) == ["own"])
    }

    /// The same letter, composed and not, is two groups.
    @Test func groupsCountByTheirBytes() {
        let answer = Self.answer("cafe\u{301}", trustsHeader: true)
        #expect(!answer.mayDecide(publisherGroup: "caf\u{E9}", publishedBy: "caf\u{E9}"))
        #expect(!answer.mayDecide(publisherGroup: "caf\u{E9}", publishedBy: nil))
        let due = Self.due(header: "cafe\u{301}", connection: "caf\u{E9}")
        #expect(due.groups(trustingHeader: true).count == 2)
    }

    @Test func bytesOfAnotherMessageUnderTheSameIDAreOfNoUse() {
        let answer = Self.answer("own", trustsHeader: false)
        #expect(!answer.needsContent(of: 7) && answer.needsContent(of: 8))
    }
}
