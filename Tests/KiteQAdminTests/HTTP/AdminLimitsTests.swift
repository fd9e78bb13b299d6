import Foundation
import Testing

@testable import KiteQAdmin

/// What one caller may take of the administration.
@Suite(.timeLimit(.minutes(3))) struct AdminLimitsTests {
    private static let short = Duration.milliseconds(500)

    @Test func productionHasItsLimits() {
        let limits = AdminLimits()
        #expect(limits.maxConnections == 1_000 && limits.idleTime == .seconds(60))
        #expect(limits.headerTime == .seconds(10) && limits.bodyTime == .seconds(30))
        #expect(limits.answerTime == .seconds(30) && limits.maxConnectionsPerAddress == 200)
        #expect(JSONText.bodyTime == limits.bodyTime)
    }

    @Test func aSilentConnectionIsClosed() async throws {
        try await LiveAdmin.serving(limit: { $0.idleTime = Self.short }) { port in
            let silent = try await RawClient.connect(to: port)
            try await silent.closed()
            let once = try await RawClient.connect(to: port)
            #expect(try await once.ask() == "HTTP/1.1 200 OK")
            try await once.closed()
        }
    }

    @Test func headersThatComeSlowlyEndTheConnection() async throws {
        try await LiveAdmin.serving(limit: { $0.headerTime = Self.short }) { port in
            let waiting = try await RawClient.connect(to: port)
            #expect(try await waiting.ask() == "HTTP/1.1 200 OK")
            let slow = try await RawClient.connect(to: port)
            slow.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n")
            try await slow.send(slowly: "X: y\r\n")
            #expect(slow.received == "")
            let halting = try await RawClient.connect(to: port)
            #expect(try await halting.ask() == "HTTP/1.1 200 OK")
            halting.send("GET")
            try await halting.closed()
            // Between two requests there is time.
            #expect(try await waiting.ask() == "HTTP/1.1 200 OK")
        }
    }

    /// A body that nobody waits for any more does not keep its connection.
    @Test func aBodyThatComesSlowlyEndsTheConnection() async throws {
        try await LiveAdmin.serving(limit: {
            $0.headerTime = Self.short
            $0.bodyTime = Self.short
        }) { port in
            let slow = try await RawClient.connect(to: port)
            slow.send("POST /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n")
            #expect(try await slow.answer() == "HTTP/1.1 404 Not Found")
            try await slow.send(slowly: "x")
        }
    }

    @Test func aBodyHasItsTime() async throws {
        try await AdminFixture.serving { admin in
            try await LiveAdmin.serving(services: admin.openServices, limit: { $0.bodyTime = Self.short }) { port in
                let head = "Host: localhost\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n"
                let late = try await RawClient.connect(to: port)
                late.send("POST /api/v1/groups/s-member/pause HTTP/1.1\r\n\(head)" + #"{"reason": "#)
                #expect(try await late.answer() == "HTTP/1.1 408 Request Timeout")
                let whole = try await RawClient.connect(to: port)
                whole.send("POST /api/v1/groups/s-member/pause HTTP/1.1\r\n\(head)" + #"{"reason": "moving"}"#)
                #expect(try await whole.answer() == "HTTP/1.1 200 OK")
            }
        }
    }

    /// One that asks and asks, and reads nothing: who waits for its place gets it.
    @Test func whoReadsNoAnswersIsSentAway() async throws {
        try await AdminFixture.serving { admin in
            try await LiveAdmin.serving(
                services: admin.openServices,
                limit: {
                    $0.maxConnections = 1
                    $0.answerTime = Self.short
                    ($0.idleTime, $0.headerTime, $0.bodyTime) = (.seconds(600), .seconds(600), .seconds(600))
                }
            ) { port in
                let deaf = try await RawClient.connect(to: port)
                #expect(try await deaf.ask() == "HTTP/1.1 200 OK")
                try await deaf.stopReading()
                // More than both ends hold of it.
                let question = "GET /api/v1/openapi.yaml HTTP/1.1\r\nHost: localhost\r\n\r\n"
                deaf.send(String(repeating: question, count: 600))
                let next = try await RawClient.connect(to: port)
                #expect(try await next.ask() == "HTTP/1.1 200 OK")
            }
        }
    }

    @Test func oneAddressHasItsShareOfTheConnections() async throws {
        try await LiveAdmin.serving(limit: { $0.maxConnectionsPerAddress = 2 }) { port in
            let first = try await RawClient.connect(to: port)
            #expect(try await first.ask() == "HTTP/1.1 200 OK")
            let second = try await RawClient.connect(to: port)
            #expect(try await second.ask() == "HTTP/1.1 200 OK")
            #expect(try await RawClient.connect(to: port).ask() == "")
            #expect(try await second.ask() == "HTTP/1.1 200 OK")
            first.close()
            try await eventually("its place is free") {
                try await RawClient.connect(to: port).ask() == "HTTP/1.1 200 OK"
            }
        }
    }

    @Test func connectionsBeyondTheLimitWait() async throws {
        try await LiveAdmin.serving(limit: { $0.maxConnections = 2 }) { port in
            let first = try await RawClient.connect(to: port)
            #expect(try await first.ask() == "HTTP/1.1 200 OK")
            let second = try await RawClient.connect(to: port)
            #expect(try await second.ask() == "HTTP/1.1 200 OK")
            let third = try await RawClient.connect(to: port)
            third.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            // Others are answered meanwhile.
            for _ in 0..<20 { #expect(try await second.ask() == "HTTP/1.1 200 OK") }
            #expect(third.received == "" && !third.isClosed)
            first.close()
            #expect(try await third.answer() == "HTTP/1.1 200 OK")
        }
    }

    /// So many headers of so many bytes each, beside Host.
    @Test(arguments: [
        (1, 15 << 10, true), (1, 17 << 10, false), (2, 15 << 10, true), (3, 11 << 10, false), (98, 6, true),
        (100, 6, false),
    ])
    func headersHaveTheirSizes(count: Int, bytes: Int, isTaken: Bool) async throws {
        try await LiveAdmin.serving(limit: { $0.headerTime = Self.short }) { port in
            let client = try await RawClient.connect(to: port)
            let field = "X: \(String(repeating: "x", count: bytes - 5))\r\n"
            let fields = String(repeating: field, count: count)
            client.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\(fields)\r\n")
            let answer = try await client.answer()
            #expect(answer == (isTaken ? "HTTP/1.1 200 OK" : "HTTP/1.1 431 Request Header Fields Too Large"))
            if !isTaken { try await client.closed() }
        }
    }
}
