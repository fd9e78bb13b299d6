import Foundation
import KiteQCore
import Testing

@testable import KiteQAdmin

@Suite struct TimeTests {
    @Test func itIsWrittenInUTCWithMilliseconds() {
        #expect(Time(0).text == "1970-01-01T00:00:00.000Z")
        #expect(Time(1_769_851_800_123).text == "2026-01-31T09:30:00.123Z")
        // What a producer said may be beyond every calendar.
        #expect(Time(.max).text.hasPrefix("9999-12-31"))
        #expect(Time(.min).text.hasPrefix("1900-01-01"))
    }

    @Test(arguments: [
        ("2026-01-31T09:30:00.123Z", 1_769_851_800_123), ("2026-01-31T09:30:00Z", 1_769_851_800_000),
        ("2026-01-31T10:30:00.123+01:00", 1_769_851_800_123), ("2026-01-31T09:30:00.1239Z", 1_769_851_800_124),
        ("2026-01-31T09:30:00.1-23:59", 1_769_938_140_100), ("2026-01-31t09:30:00z", 1_769_851_800_000),
        ("1900-01-01T00:00:00+01:00", -2_208_988_800_000),
    ])
    func itIsReadWithAndWithoutAFraction(text: String, timestamp: Int64) {
        #expect(Time(text)?.timestamp == timestamp)
    }

    @Test(arguments: [
        "", "now", "2026-01-31", "1769851800123", "2026-13-31T09:30:00Z", "0466-07-01T08:30:31Z",
        "2026-02-30T00:00:00Z",
        "2026-01-31T24:00:00Z", "2026-01-31T09:30:60Z", "2026-01-31T09:30:00+24:00", "2026-01-31T09:30:00+01:60",
        "2026-01-31T09:30:00", "2026-01-31T09:30Z", "2026-01-31 09:30:00Z", "2026-01-31T09:30:00.Z",
        "２026-01-31T09:30:00Z",
        String(repeating: "2", count: 99),
    ])
    func whatIsNoTimeIsNil(text: String) {
        #expect(Time(text) == nil)
    }
}

@Suite struct KeyCursorTests {
    @Test(arguments: [["a"], [""], ["a\nb", "\u{0}\"é"], ["x", "y", "z"]])
    func itSurvivesItsText(parts: [String]) throws {
        let text = try KeyCursor(parts).text
        #expect(try KeyCursor(text, parts: parts.count).parts == parts)
        #expect(throws: Problem.self) { try KeyCursor(text, parts: parts.count + 1) }
    }

    @Test(arguments: ["", "%", "AAAA", "bnVsbA==", "WzFd"])
    func anythingElseIsRefused(text: String) {
        #expect(throws: Problem.self) { try KeyCursor(text, parts: 1) }
    }

    @Test func aPageGoesOnWhereTheOneBeforeEnded() throws {
        let all = ["B", "a", "b", "é"]
        var seen: [String] = []
        var cursor: String?
        repeat {
            let page = try Page(all, limit: 3, after: KeyCursor(cursor, parts: 1), key: { KeyCursor([$0]) })
            seen += page.items
            cursor = page.next
        } while cursor != nil
        #expect(seen == all)
    }
}
