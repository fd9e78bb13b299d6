import Foundation
import Testing

@testable import KiteQAdminClient

/// What goes over the wire.
@Suite struct RequestTests {
    @Test(arguments: [
        ("s-trade", "s-trade"), ("a/b", "a%2Fb"), ("..", "%2E%2E"), ("100%", "100%25"), ("支", "%E6%94%AF"),
        ("a?b#c d+e&f", "a%3Fb%23c%20d%2Be%26f"), ("\u{0}\r\n", "%00%0D%0A"),
    ])
    func aNameIsOneSegment(name: String, segment: String) {
        #expect(API.group(name).target == "/groups/\(segment)")
    }

    @Test func aFilterIsAQuery() {
        var filter = API.MessageFilter()
        #expect(API.messages(filter).page(after: nil, limit: 7).target == "/messages?limit=7")
        (filter.topic, filter.type, filter.group, filter.state) = ("t&x", "pay", "g", "tracked")
        filter.from = Date(timeIntervalSince1970: 1_700_000_000.123)
        filter.isNewestFirst = true
        #expect(
            API.messages(filter).page(after: "c=/", limit: 500).target
                == "/messages?topic=t%26x&type=pay&group=g&state=tracked&from=2023-11-14T22:13:20%2E123Z&order=newest"
                + "&limit=500&cursor=c%3D%2F")
    }

    @Test func aSearchIsAQuery() {
        #expect(API.groups(search: "s&").page(after: nil, limit: 7).target == "/groups?search=s%26&limit=7")
        #expect(API.topics(search: "t").target == "/topics?search=t" && API.topics().target == "/topics")
    }

    @Test func anActIsABody() throws {
        func text<Answer>(_ request: API.Request<Answer>) -> String? {
            request.body.map { String(decoding: $0, as: UTF8.self) }
        }
        #expect(try text(API.pause(group: "g", reason: "its \"database\"")) == #"{"reason":"its \"database\""}"#)
        #expect(
            try text(API.requeueDeadLetters(.letters(["0:1", "3:4"]), reason: nil)) == #"{"letters":["0:1","3:4"]}"#)
        var filter = API.DeadLetterFilter()
        #expect(
            try text(API.deleteDeadLetters(.filter(filter, count: 3), reason: "old"))
                == #"{"count":3,"filter":{},"reason":"old"}"#)
        (filter.group, filter.before) = ("g", Date(timeIntervalSince1970: 0))
        #expect(
            try text(API.countDeadLetters(filter)) == #"{"before":"1970-01-01T00:00:00.000Z","group":"g"}"#)
        #expect(try text(API.resume(group: "g", reason: nil)) == "{}")
        #expect(try text(API.reload(reason: "a key")) == #"{"reason":"a key"}"#)
    }

    @Test func timesHaveMillisecondsOrNot() throws {
        struct Times: Decodable { var times: [Date] }
        let text = #"{"times": ["2026-01-31T09:30:00.250Z", "2026-01-31T09:30:00Z", "2026-01-31T10:30:00+01:00"]}"#
        let times = try APICoding.decoder().decode(Times.self, from: Data(text.utf8)).times
        #expect(times.map { $0.timeIntervalSince(times[1]) } == [0.25, 0, 0])
        #expect(throws: (any Error).self) {
            try APICoding.decoder().decode(Times.self, from: Data(#"{"times": ["yesterday"]}"#.utf8))
        }
    }

    @Test func anyJSONIsTaken() throws {
        let text = #"{"a": [null, true, 1, -9223372036854775808, 1.5, "x\n", {}], "b": {"c": []}}"#
        #expect(
            try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
                == .object([
                    "a": .array([
                        .null, .bool(true), .integer(1), .integer(.min), .number(1.5), .string("x\n"), .object([:]),
                    ]), "b": .object(["c": .array([])]),
                ]))
    }
}
