import Testing

@testable import KiteQCore

@Suite struct DueReadingTests {
    private typealias Place = DueTransaction.Place

    /// Rows from one number to another; those below `left` are left.
    private func page(_ numbers: ClosedRange<Int64>, left: Int64) -> [(place: Place, isLeft: Bool)] {
        numbers.map { (Place(nextCheckAt: $0, seq: $0), $0 < left) }
    }

    private func place(_ number: Int64) -> Place { Place(nextCheckAt: number, seq: number) }

    @Test func aPassEndsWithTheLastPage() {
        var reading = DueReading()
        reading.read(page(1...5, left: 0), isLast: false)
        #expect(reading.place == place(5))
        reading.read(page(6...7, left: 0), isLast: true)
        #expect(reading.place == nil)
    }

    @Test func whatIsLeftAtTheHeadIsReadNowAndThenOnly() {
        var reading = DueReading()
        var rowsRead = 0
        for _ in 0..<100 {
            let first = (reading.place?.seq ?? 0) + 1
            rowsRead += Int(1_003 - first)
            // 1,000 that others serve, and two that are this broker's, which come due at each pass.
            reading.read(page(first...1_002, left: 1_001), isLast: true)
        }
        #expect(rowsRead < 100 * 1_002 / 9, "\(rowsRead)")
        #expect(reading.place == nil, "the hundredth pass is followed by one from the head")
    }

    @Test func theHeadEndsAtTheFirstRowThatIsNotLeft() {
        var reading = DueReading()
        reading.read(page(1...3, left: 3) + page(4...9, left: 10), isLast: true)
        #expect(reading.place == place(2))
        reading.startOver()
        #expect(reading.place == nil)
    }

    @Test func theHeadMayBeLongerThanAPage() {
        var reading = DueReading()
        reading.read(page(1...5, left: 8), isLast: false)
        reading.read(page(6...9, left: 8), isLast: true)
        #expect(reading.place == place(7))
        reading.read(page(8...8, left: 9), isLast: true)
        #expect(reading.place == place(8), "it grows")
    }
}
