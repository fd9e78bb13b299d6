import KiteQCore
import NIOCore
import Testing

@testable import KiteQBroker

@Suite struct PublishHandTests {
    private static func publish(_ seq: Int64) -> PendingPublish {
        var publish = PendingPublish(
            AcceptedPublish(
                origin: PublishCall(group: "p-pay", count: 1), opaque: 0, version: 0, extensionField: 0,
                message: Message(
                    id: .random(), kind: .string, topic: "trade", messageType: "paid", publisherGroup: "p-pay",
                    expiresAt: 0, deliverLimit: 1, publishedAt: 0, header: ByteBuffer(), body: ByteBuffer()),
                messageIDRange: 0..<0, route: nil, arrivedAt: seq))
        publish.seq = seq
        return publish
    }

    private static func seqs(_ late: [PublishHand.Late], beingStored: Bool) -> [Int64] {
        late.filter { $0.isBeingStored == beingStored }.map(\.publish.seq)
    }

    @Test func whatTheStoreHasIsAnsweredOnceAndStaysInTheTry() {
        var hand = PublishHand([1, 2, 3].map(Self.publish))
        #expect(hand.startTry().map(\.seq) == [1, 2, 3])
        #expect(Self.seqs(hand.takeLate { $0.seq < 2 }, beingStored: true) == [1])
        #expect(Self.seqs(hand.takeLate { $0.seq < 3 }, beingStored: true) == [2], "the first had its answer")
        #expect(hand.endTry() == [1, 2], "and is not to be answered again")
        #expect(hand.takeLate { _ in true }.isEmpty, "it is all in the writer's hands")
    }

    @Test func whatTheStoreDoesNotHaveIsNotGivenToItAnyMore() {
        var hand = PublishHand([1, 2].map(Self.publish))
        #expect(Self.seqs(hand.takeLate { $0.seq == 1 }, beingStored: false) == [1])
        #expect(hand.startTry().map(\.seq) == [2])
        #expect(hand.endTry().isEmpty)
        hand.keep([Self.publish(2)])
        #expect(Self.seqs(hand.takeLate { _ in true }, beingStored: false) == [2])
        #expect(hand.startTry().isEmpty)
    }

    @Test func aNewTryBeginsAnew() {
        var hand = PublishHand([1].map(Self.publish))
        _ = hand.startTry()
        #expect(hand.takeLate { _ in true }.count == 1)
        #expect(hand.endTry() == [1])
        hand.keep([Self.publish(1)])
        #expect(hand.startTry().count == 1)
        #expect(hand.endTry().isEmpty)
    }
}
