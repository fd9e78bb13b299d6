import Foundation
import Testing

@testable import kiteq

/// A broker whose process may open few files: a process of its own.
@Suite(.serialized, .timeLimit(.minutes(3))) struct DescriptorTests {
    private func wait(_ what: String, _ isTrue: () throws -> Bool) throws {
        let end = ContinuousClock.now + .seconds(30)
        while try !isTrue() {
            try #require(ContinuousClock.now < end, "not within 30 s: \(what)")
            usleep(50_000)
        }
    }

    private func metric(_ name: String, _ broker: ServedCommand) throws -> Int? {
        let line = try broker.get("/metrics").text.split(separator: "\n").first { $0.hasPrefix(name + " ") }
        return line?.split(separator: " ").last.flatMap { Int($0) }
    }

    @Test func moreConnectionsThanDescriptorsAreRefused() throws {
        let broker = try ServedCommand(openFiles: 300)
        defer { #expect(throws: Never.self) { try broker.end() } }
        #expect(
            try broker.process.errorLine(with: "is taken as").contains("this process may open 300 files"))
        let limit = try #require(try metric("kiteq_connection_limit", broker))
        #expect((16..<250).contains(limit))
        #expect(try metric("process_max_fds", broker) == 300)

        var clients: [LoopbackSocket] = []
        defer { for client in clients { client.close() } }
        for _ in 0..<500 { clients.append(try LoopbackSocket(to: broker.address)) }
        // One address that does not greet leaves the last places for others.
        let taken = limit - min(max(16, limit / 10), limit / 2)
        try wait("those that are too many are closed") { clients.filter(\.isClosed).count == 500 - taken }
        #expect(try broker.process.errorLine(with: "not let in yet").contains("has \(taken) connections"))

        // The administration is filled as well, with connections that ask nothing.
        var idle: [LoopbackSocket] = []
        defer { for connection in idle { connection.close() } }
        for _ in 0..<200 { idle.append(try LoopbackSocket(to: broker.admin)) }
        let before = try broker.processorTime()
        for _ in 0..<10 { #expect(try broker.get("/healthz").status == 200) }
        sleep(2)
        #expect(try broker.processorTime() - before < 1, "a core is kept busy")
        #expect(try metric("kiteq_accept_failures_total{address=\"broker\"}", broker) == 0)
    }

    /// Its limit falls below what it has open: nothing can be accepted, as on a machine that has none left.
    @Test func anAddressWithoutDescriptorsRests() throws {
        let broker = try ServedCommand()
        defer { #expect(throws: Never.self) { try broker.end() } }
        func setLimit(_ limit: Int) throws {
            let prlimit = Process()
            prlimit.executableURL = URL(fileURLWithPath: "/usr/bin/prlimit")
            prlimit.arguments = [
                "--pid", "\(broker.process.process.processIdentifier)", "--nofile=\(limit):",
            ]
            try prlimit.run()
            prlimit.waitUntilExit()
            try #require(prlimit.terminationStatus == 0)
        }
        #expect(try broker.get("/healthz").status == 200)
        let before = try #require(try metric("process_max_fds", broker))
        try setLimit(8)
        let client = try LoopbackSocket(to: broker.address)
        defer { client.close() }
        let probe = try LoopbackSocket(to: broker.admin)
        defer { probe.close() }
        probe.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        let lines = try [
            broker.process.errorLine(with: "cannot be accepted"), broker.process.errorLine(with: "cannot be accepted"),
        ]
        #expect(lines.contains { $0.contains("broker.bind") } && lines.contains { $0.contains("admin.bind") })
        let begin = try broker.processorTime()
        sleep(3)
        #expect(try broker.processorTime() - begin < 1, "a core is kept busy")
        #expect(!client.isClosed)
        try setLimit(before)
        // Both have waited, and are taken now.
        #expect(probe.receiveAll().hasPrefix("HTTP/1.1 200 OK"))
        let failures = try #require(try metric("kiteq_accept_failures_total{address=\"broker\"}", broker))
        #expect((1...100).contains(failures))
    }

    @Test func theLimitIsRaisedToWhatTheProcessMayHave() throws {
        let broker = try ServedCommand()
        defer { #expect(throws: Never.self) { try broker.end() } }
        let limits = try String(
            contentsOfFile: "/proc/\(broker.process.process.processIdentifier)/limits", encoding: .utf8)
        let line = try #require(limits.split(separator: "\n").first { $0.hasPrefix("Max open files") })
        let figures = line.split(separator: " ").compactMap { Int($0) }
        #expect(figures.count == 2 && figures[0] == min(figures[1], 1 << 20))
    }
}
