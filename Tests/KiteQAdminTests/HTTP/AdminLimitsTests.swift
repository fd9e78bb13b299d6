import Foundation
import KiteQBroker
import KiteQCore
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
        #expect(limits.firstRequestTime == .seconds(5) && limits.reserve == 32 && limits.pipelined == 32)
        #expect(limits.publishBody == 3 << 20 && limits.bodyMemory == 32 << 20)
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

    /// One that asks and asks, and reads nothing: its place is another's then.
    @Test func whoReadsNoAnswersIsSentAway() async throws {
        try await AdminFixture.serving { admin in
            try await LiveAdmin.serving(
                services: admin.openServices,
                limit: {
                    $0.maxConnections = 1
                    $0.reserve = 0
                    $0.pipelined = 1_000
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
                try await eventually("its place is free") {
                    try await RawClient.connect(to: port).ask() == "HTTP/1.1 200 OK"
                }
            }
        }
    }

    @Test func requestsThatWaitForTheirAnswersAreFew() async throws {
        try await AdminFixture.serving { admin in
            try await LiveAdmin.serving(services: admin.openServices, limit: { $0.pipelined = 4 }) { port in
                let client = try await RawClient.connect(to: port)
                client.send(Self.pull + String(repeating: "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n", count: 4))
                try await client.closed()
            }
        }
    }

    @Test func whoSendsNoRequestMakesWayAndIsClosedSoon() async throws {
        try await LiveAdmin.serving(limit: { ($0.firstRequestTime, $0.idleTime) = (Self.short, .seconds(600)) }) {
            port in
            let once = try await RawClient.connect(to: port)
            #expect(try await once.ask() == "HTTP/1.1 200 OK")
            let silent = try await RawClient.connect(to: port)
            try await silent.closed()
            let half = try await RawClient.connect(to: port)
            half.send("GET /healthz HTTP/1.1\r\nX: y")
            try await half.closed()
            // Between two requests there is time.
            #expect(try await once.ask() == "HTTP/1.1 200 OK")
        }
    }

    /// As many as an address may have, and more, that ask nothing.
    @Test func idleConnectionsTakeNobodysPlace() async throws {
        try await LiveAdmin.serving(limit: { ($0.maxConnectionsPerAddress, $0.reserve) = (20, 0) }) { port in
            var idle: [RawClient] = []
            for _ in 0..<60 { idle.append(try await RawClient.connect(to: port)) }
            for _ in 0..<20 { #expect(try await RawClient.connect(to: port).ask() == "HTTP/1.1 200 OK") }
            #expect(idle.filter(\.isClosed).count >= 60)
        }
    }

    /// Each connection of an address waits for messages: its probe is answered, and another request hears why it is not.
    @Test func theProbeIsAnsweredWhereAllPlacesAreTaken() async throws {
        try await AdminFixture.serving { admin in
            for limit in [{ $0.maxConnectionsPerAddress = 3 }, { $0.maxConnections = 3 }]
                as [@Sendable (inout AdminLimits) -> Void]
            {
                try await LiveAdmin.serving(services: admin.openServices, limit: limit) { port in
                    var waiting: [RawClient] = []
                    for _ in 0..<3 {
                        let client = try await RawClient.connect(to: port)
                        client.send(Self.pull)
                        waiting.append(client)
                    }
                    try await eventually("they wait") { admin.broker.status?.gauges.waitingPulls == 3 }
                    for _ in 0..<100 {
                        let probe = try await RawClient.connect(to: port)
                        #expect(try await probe.ask() == "HTTP/1.1 200 OK")
                    }
                    let other = try await RawClient.connect(to: port)
                    other.send("GET /api/v1/overview HTTP/1.1\r\nHost: localhost\r\n\r\n")
                    try await other.closed()
                    #expect(other.received.hasPrefix("HTTP/1.1 503 ") && other.received.contains("Retry-After: 1\r\n"))
                    #expect(waiting.allSatisfy { !$0.isClosed && $0.received == "" })
                    for client in waiting { client.close() }
                    try await eventually("their places are free") { admin.broker.status?.gauges.waitingPulls == 0 }
                }
            }
        }
    }

    private static let pull =
        "POST /api/v1/pull HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic cy1tZW1iZXI6eA==\r\n"
        + "Content-Type: application/json\r\nContent-Length: 11\r\n\r\n{\"wait\": 5}"

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
