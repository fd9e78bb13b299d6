import KiteQCore
import Testing

@testable import KiteQStore

@Suite struct DecidingTests {
    private func decision(_ bytes: Int?, _ answer: TransactionDecision.Answer = .commit, to id: MessageID = .random())
        -> TransactionDecision
    {
        TransactionDecision(
            messageID: id, answer: answer, connectionGroup: "p-pay", needsContent: true, bytes: bytes)
    }

    @Test func transactionsAreBoundedInBytes() {
        // A change counts twice.
        var deciding = Deciding(
            (0..<12).map { _ in decision(2 << 20) } + (0..<12).map { _ in decision(2 << 20, .rollBack) })
        var counts: [Int] = []
        while let some = deciding.next() {
            counts.append(some.count)
            deciding.end(some, some.map { _ in .rolledBack })
        }
        #expect(counts == [4, 4, 4, 8, 4] && deciding.outcomes.count == 24)
    }

    @Test func sizesThatAreFoundCutAPiece() throws {
        let batch = (0..<6).map { _ in decision(nil) }
        var deciding = Deciding(batch)
        let next = deciding.next()
        let all = try #require(next)
        let sizes = Dictionary(uniqueKeysWithValues: batch.map { ($0.messageID, 3 << 20) })
        #expect(all.count == 6 && !Deciding.fits(all, sizes))
        deciding.cut(all, by: sizes)
        while let some = deciding.next() {
            #expect(some.count == 2 && Deciding.fits(some, [:]))
            deciding.end(some, some.map { _ in .rolledBack })
        }
        #expect(deciding.outcomes.count == 6)
    }

    @Test func whatIsRefusedIsHalvedAndNotOvertaken() throws {
        let bad = MessageID.random()
        let batch = [decision(10), decision(10, to: bad), decision(10), decision(10, .rollBack, to: bad), decision(10)]
        var deciding = Deciding(batch)
        while let some = deciding.next() {
            if some.contains(where: { $0.messageID == bad }) {
                deciding.refuse(some, "locked")
            } else {
                deciding.end(some, some.map { _ in .rolledBack })
            }
        }
        let refused = deciding.outcomes.map { if case .notYet("locked") = $0 { true } else { false } }
        #expect(refused == [false, true, false, true, false])
    }

    @Test func manyRefusalsEndACall() {
        let batch = (0..<20).map { _ in decision(10) }
        var deciding = Deciding(batch)
        while let some = deciding.next() { deciding.refuse(some, "locked") }
        #expect(deciding.outcomes.count == 8)
    }
}
