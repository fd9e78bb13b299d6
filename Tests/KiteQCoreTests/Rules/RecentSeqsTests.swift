import Testing

@testable import KiteQCore

@Suite struct RecentSeqsTests {
    @Test func theOldestGoesFirst() {
        var recent = RecentSeqs(limit: 3)
        #expect(!recent.contains(1))
        for seq: Int64 in [1, 2, 1, 3] { recent.insert(seq) }
        #expect(recent.count == 3 && recent.contains(1) && recent.contains(2) && recent.contains(3))
        for seq: Int64 in 4...9 {
            recent.insert(seq)
            #expect(recent.count == 3)
            for other: Int64 in 1...10 { #expect(recent.contains(other) == (seq - 2...seq).contains(other)) }
        }
    }
}
