import Foundation
import KiteQBroker
import KiteQCore
import NIOCore
import Testing

@testable import KiteQAdmin

/// What requests may take of the broker's memory, over real connections.
@Suite(.timeLimit(.minutes(3))) struct AdminMemoryTests {
    private static func head(_ path: String, length: Int?, group: String = "p-pay", more: String = "") -> String {
        let basic = Data("\(group):x".utf8).base64EncodedString()
        let framing = length.map { "Content-Length: \($0)" } ?? "Transfer-Encoding: chunked"
        return
            "POST /api/v1/\(path) HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic \(basic)\r\n"
            + "Content-Type: application/json\r\n\(framing)\r\n\(more)\r\n"
    }

    private static func message(_ text: String) -> String {
        #"{"messages": [{"topic": "trade", "messageType": "paid", "text": "\#(text)"}]}"#
    }

    /// A sample of the page of metrics.
    private static func metric(_ name: String, _ port: Int) async throws -> Int? {
        let client = try await RawClient.connect(to: port)
        defer { client.close() }
        client.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
        try await eventually("an answer") { client.received.contains("process_cpu_seconds_total ") }
        let line = client.received.split(whereSeparator: \.isNewline).first { $0.hasPrefix(name + " ") }
        return line?.split(separator: " ").last.flatMap { Int($0) }
    }

    @Test func bodiesHaveTheirShareOfMemory() async throws {
        try await AdminFixture.serving { admin in
            try await LiveAdmin.serving(
                services: admin.openServices,
                limit: {
                    ($0.publishBody, $0.bodyMemory, $0.roomTime) = (64 << 10, 256 << 10, .milliseconds(100))
                }
            ) { port in
                let body = Self.message(String(repeating: "x", count: 64_000))
                let (begin, rest) = (body.prefix(100), body.dropFirst(100))
                var held: [RawClient] = []
                for _ in 0..<2 {
                    let client = try await RawClient.connect(to: port)
                    client.send(Self.head("publish", length: body.utf8.count) + begin)
                    held.append(client)
                }
                try await eventually("both have their room") {
                    try await Self.metric(#"kiteq_http_memory_bytes{kind="bodies"}"#, port) == 2
                        * (body.utf8.count - RequestBodyReader.free)
                }
                // Two have all that one group may have. More of it, and more from its address under another name, is told to come again.
                for group in ["p-pay", "p-other"] {
                    try await eventually("there is no room") {
                        let third = try await RawClient.connect(to: port)
                        third.send(Self.head("publish", length: body.utf8.count, group: group))
                        try await eventually("an answer") { third.received.contains("\r\n\r\n") }
                        defer { third.close() }
                        return third.received.hasPrefix("HTTP/1.1 503 ")
                            && third.received.contains("Retry-After: 1\r\n")
                    }
                }
                // What is small needs none.
                let small = try await RawClient.connect(to: port)
                small.send(Self.head("publish", length: Self.message("x").utf8.count) + Self.message("x"))
                #expect(try await small.answer() == "HTTP/1.1 200 OK")
                // Nothing is lost of those that have room, and it comes back.
                for client in held {
                    client.send(String(rest))
                    #expect(try await client.answer() == "HTTP/1.1 200 OK")
                }
                let third = try await RawClient.connect(to: port)
                third.send(Self.head("publish", length: body.utf8.count) + body)
                #expect(try await third.answer() == "HTTP/1.1 200 OK")
            }
        }
    }

    /// It is not read before its group is known, and what is too long not at all.
    @Test func aBodyBeyondItsLimitIsNotRead() async throws {
        try await AdminFixture.serving { admin in
            try await LiveAdmin.serving(services: admin.openServices) { port in
                let long = try await RawClient.connect(to: port)
                long.send(Self.head("publish", length: 16 << 20))
                #expect(try await long.answer().hasPrefix("HTTP/1.1 413 "))
                let unknown = try await RawClient.connect(to: port)
                unknown.send(
                    "POST /api/v1/publish HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                        + "Content-Length: 1000\r\n\r\n")
                #expect(try await unknown.answer() == "HTTP/1.1 401 Unauthorized")
                let chunked = try await RawClient.connect(to: port)
                let piece = String(repeating: "x", count: 1 << 20)
                chunked.send(Self.head("publish", length: nil) + String(repeating: "100000\r\n\(piece)\r\n", count: 4))
                #expect(try await chunked.answer().hasPrefix("HTTP/1.1 413 "))
            }
        }
    }

    @Test func oneMessageOfTheLargestSizeFits() async throws {
        try await AdminFixture.serving { admin in
            try await LiveAdmin.serving(services: admin.openServices) { port in
                let bytes = Data(repeating: 7, count: (2 << 20) - 1_024).base64EncodedString()
                let body = #"{"messages": [{"topic": "trade", "messageType": "paid", "bytes": "\#(bytes)"}]}"#
                let client = try await RawClient.connect(to: port)
                client.send(Self.head("publish", length: body.utf8.count) + body)
                try await eventually("an answer") { client.received.contains("outcome") }
                #expect(client.received.contains(#""outcome":"accepted""#))
            }
        }
    }

    @Test func valuesAreCountedBeforeTheyAreParsed() async throws {
        try await AdminFixture.serving { admin in
            try await LiveAdmin.serving(services: admin.openServices) { port in
                let deep = String(repeating: "[", count: 100_000)
                for (body, status) in [
                    ("[" + String(repeating: "0,", count: 1 << 20) + "0]", 413),
                    (#"{"messages": "# + deep, 400),
                ] {
                    let client = try await RawClient.connect(to: port)
                    client.send(Self.head("publish", length: body.utf8.count) + body)
                    #expect(try await client.answer().hasPrefix("HTTP/1.1 \(status) "))
                }
                // 1,000 messages with twenty properties each are no attack.
                let properties = (0..<20).map { #""k\#($0)": "v""# }.joined(separator: ",")
                let item = #"{"topic": "trade", "messageType": "none", "text": "x", "properties": {\#(properties)}}"#
                let body = #"{"messages": ["# + Array(repeating: item, count: 1_000).joined(separator: ",") + "]}"
                let client = try await RawClient.connect(to: port)
                client.send(Self.head("publish", length: body.utf8.count) + body)
                #expect(try await client.answer() == "HTTP/1.1 200 OK")
            }
        }
    }

    @Test func aBodyOfTinyChunksIsWhatItSays() async throws {
        try await AdminFixture.serving { admin in
            try await LiveAdmin.serving(services: admin.openServices) { port in
                let chunks = Self.message("order 17").utf8.map { "1\r\n\(Character(UnicodeScalar($0)))\r\n" }.joined()
                let client = try await RawClient.connect(to: port)
                client.send(Self.head("publish", length: nil) + chunks + "0\r\n\r\n")
                try await eventually("an answer") { client.received.contains("outcome") }
                #expect(client.received.contains(#""outcome":"accepted""#))
            }
        }
    }

    @Test func aCompressedBodyIsNotTaken() async throws {
        try await AdminFixture.serving { admin in
            try await LiveAdmin.serving(services: admin.openServices) { port in
                let client = try await RawClient.connect(to: port)
                client.send(Self.head("publish", length: 2, more: "Content-Encoding: gzip\r\n") + "{}")
                #expect(try await client.answer() == "HTTP/1.1 415 Unsupported Media Type")
            }
        }
    }

    /// Answers that nobody reads: what they would hold comes back to others, and was no attempt.
    @Test func pullsThatAreNotReadHaveTheirShareOfMemory() async throws {
        try await AdminFixture.serving { admin in
            try await LiveAdmin.serving(
                services: admin.openServices, limit: { ($0.publishBody, $0.bodyMemory) = (2 << 20, 12 << 20) }
            ) { port in
                // Two of them are more than the sockets hold between them.
                let text = String(repeating: "x", count: 1_900_000)
                let messaging = try #require(admin.broker.messaging)
                for _ in 0..<8 {
                    let outcomes = await messaging.publish(
                        [NewMessage(topic: "trade", messageType: "paid", body: .text(text))], group: "p-pay")
                    #expect(outcomes.map(\.verdict) == [.accepted])
                }
                let ask = #"{"max": 2, "wait": 5, "visibility": 600}"#
                var deaf: [RawClient] = []
                defer { for client in deaf { client.close() } }
                try await eventually("there is no room") {
                    let client = try await RawClient.connect(to: port)
                    deaf.append(client)
                    try await client.stopReading(holding: 4_096)
                    client.send(Self.head("pull", length: ask.utf8.count, group: "s-member") + ask)
                    return try await Self.metric(#"kiteq_http_memory_refusals_total{kind="answers"}"#, port) != 0
                }
                // Its memory comes back with the connections that had it; the message was nobody's attempt.
                for client in deaf { client.close() }
                try await eventually("a message that went back comes") {
                    let pulled = try await messaging.pull(
                        group: "s-member", max: 1, wait: .seconds(1), visibility: .seconds(600))
                    return pulled.first?.attempt == 1
                }
            }
        }
    }
}
