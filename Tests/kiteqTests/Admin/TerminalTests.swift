import Foundation
import Glibc
import TestSupport
import Testing

@testable import kiteq

/// Commands at a terminal, with somebody before it.
@Suite(.serialized, .timeLimit(.minutes(3))) struct TerminalTests {
    private static func top(_ request: FixtureServer.Request) -> FixtureServer.Answer {
        switch request.target.dropFirst("/api/v1".count) {
        case "/overview": .json(Fixture.overview())
        case "/shards": .json(Fixture.shards)
        case "/brokers": .json(Fixture.brokers())
        default: .json(Fixture.page([Fixture.group("s-a\\u001b[2J", waiting: 7)]))
        }
    }

    private func watch(
        _ environment: [String: String] = [:], _ body: (PseudoTerminal, Process) async throws -> Void
    ) async throws -> PseudoTerminal.Outcome {
        try await FixtureServer.with(Self.top) { server in
            let terminal = try PseudoTerminal(columns: 60, rows: 12)
            let before = try terminal.modes
            let environment = ["KITEQ_ADMIN": "127.0.0.1:\(server.port)", "TERM": "xterm"]
                .merging(environment) { $1 }
            return try await terminal.run(["top", "--interval", "500ms"], environment: environment) { process in
                try await terminal.hasShown("GROUP")
                #expect(try terminal.modes != before)
                try await body(terminal, process)
            }
        }
    }

    @Test func topEndsAtAKeyAndTheTerminalIsAsItWas() async throws {
        let outcome = try await watch { terminal, _ in
            // A second picture, then the key.
            let first = terminal.text.utf8.count
            while terminal.text.utf8.count < first + 100 { await Task.yield() }
            try terminal.type("xq")
        }
        #expect(outcome.status == 0 && outcome.isRestored)
        #expect(
            outcome.text.hasPrefix("\u{1B}[?1049h\u{1B}[?25l\u{1B}[?7l")
                && outcome.text.hasSuffix("\u{1B}[?7h\u{1B}[?25h\u{1B}[?1049l")
        )
        // Neither a name's escapes nor more than the terminal is wide.
        #expect(!outcome.text.contains("\u{1B}[2J") && outcome.text.contains("\\x1b[2J"))
        #expect(outcome.text.contains("\u{1B}[1m"))
    }

    @Test(arguments: [SIGTERM, SIGINT, SIGHUP, SIGQUIT])
    func topEndsAtASignalAndTheTerminalIsAsItWas(signal: Int32) async throws {
        let outcome = try await watch(["NO_COLOR": "1"]) { _, process in
            kill(process.processIdentifier, signal)
        }
        #expect(outcome.status == 0 && outcome.isRestored && outcome.text.hasSuffix("\u{1B}[?1049l"))
        #expect(!outcome.text.contains("\u{1B}[1m"))
    }

    @Test func aTableIsCutToTheTerminal() async throws {
        try await FixtureServer.with({ _ in .json(Fixture.shards) }) { server in
            let terminal = try PseudoTerminal(columns: 20, rows: 12)
            let environment = ["KITEQ_ADMIN": "127.0.0.1:\(server.port)"]
            let outcome = try await terminal.run(["shards"], environment: environment) { _ in
                try await terminal.hasShown("    1")
            }
            #expect(outcome.status == 0)
            #expect(outcome.text.split(whereSeparator: \.isNewline).allSatisfy { DisplayText.width(String($0)) == 20 })
        }
    }

    @Test(arguments: [
        ("1,234\n", 0 as Int32, "1,234 requeued"), ("yes\n", 1, "nothing was done"), ("\u{4}", 1, "nothing was done"),
    ])
    func theCountIsAskedBack(answer: String, status: Int32, words: String) async throws {
        let server = { @Sendable (request: FixtureServer.Request) -> FixtureServer.Answer in
            request.target.hasSuffix("/count")
                ? .json(#"{"count": 1234, "isAtLeast": true}"#) : .json(#"{"done": 1234, "skipped": []}"#)
        }
        try await FixtureServer.with(server) { server in
            let terminal = try PseudoTerminal(columns: 80, rows: 24)
            let environment = ["KITEQ_ADMIN": "127.0.0.1:\(server.port)"]
            let outcome = try await terminal.run(["dead-letters", "requeue", "--all"], environment: environment) { _ in
                try await terminal.hasShown(
                    "1,234+ dead letters match. To requeue the oldest 1,234 of them, type that number: ")
                try terminal.type(answer)
                try await terminal.hasShown(words)
            }
            #expect(outcome.status == status)
            let acts = server.requests.filter { $0.target.hasSuffix("/requeue") }
            #expect(acts.map(\.body) == (status == 0 ? [#"{"count":1234,"filter":{}}"#] : []))
        }
    }
}
