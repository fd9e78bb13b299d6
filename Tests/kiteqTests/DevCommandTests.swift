import Foundation
import LocalServers
import Testing

@testable import kiteq

@Suite(.serialized, .timeLimit(.minutes(3))) struct DevCommandTests {
    @Test func theDemonstrationFitsAScreenAndLeavesNothing() throws {
        let before = try leftovers()
        let outcome = try CommandProcess.run(["dev", "--demo"])
        #expect(outcome.status == 0, "\(outcome.error)")
        let lines = outcome.output.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        #expect(lines.count <= 40)
        #expect(lines.allSatisfy { $0.count <= 100 })
        #expect(lines.last?.hasPrefix("Everything was as it should be") == true)
        for seen in [
            "→ 1 (fresh", "→ 0 (half", "→ 1 (committed), 0", "→ 2 (rolled back)", "→ 1 (committed), 1 (asked once)",
        ] {
            #expect(outcome.output.contains(seen), "\(seen)")
        }
        #expect(outcome.output.contains("kite_message 0, kite_dead_letter 0, kite_delivery 0 rows"))
        #expect(try leftovers() == before)
    }

    private func leftovers() throws -> Set<String> {
        Set(
            try FileManager.default.contentsOfDirectory(atPath: FileManager.default.temporaryDirectory.path)
                .filter { $0.hasPrefix("kiteq-local-") && $0.contains("-dev-") })
    }

    @Test func itKeepsItsDataAndItsRegistry() throws {
        let folder = try LocalServers.temporaryFolder("kept")
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: folder) } }
        let arguments = [
            "dev", "--data", folder.path, "--bind", "127.0.0.1:\(try LocalServers.freePort())", "--admin",
            "127.0.0.1:0",
            "--mysql-port", "\(try LocalServers.freePort())", "--topics", "orders",
        ]
        let first = try CommandProcess(arguments)
        #expect(try first.firstLine() == "KiteQ runs on this machine:")
        // The port is taken: neither a second broker nor a second database comes near the first one's.
        let second = try CommandProcess.run(arguments)
        #expect(second.status == 1)
        #expect(second.error.contains("is kiteq dev running already?"))
        first.process.interrupt()
        #expect(try first.wait().status == 0)

        let registry = folder.appendingPathComponent("registry.yaml")
        let edited = try String(contentsOf: registry, encoding: .utf8) + "\n# by hand\n"
        #expect(edited.contains("topics: [\"orders\"]"))
        try edited.write(to: registry, atomically: true, encoding: .utf8)
        let third = try CommandProcess(arguments)
        #expect(try third.firstLine() == "KiteQ runs on this machine:")
        third.process.terminate()
        #expect(try third.wait().status == 0)
        #expect(try String(contentsOf: registry, encoding: .utf8) == edited)
    }

    @Test func aSignalWhileItStartsEndsItInOrder() throws {
        let process = try CommandProcess(["dev", "--demo"])
        // Its first step was said: the database is being made.
        #expect(try process.errorLine(with: "starting MariaDB").contains("starting MariaDB"))
        process.process.terminate()
        let outcome = try process.wait()
        #expect(outcome.status == 0)
        #expect(outcome.output == "")
    }

    @Test(arguments: [
        ["dev", "--keep"], ["dev", "--mysql-port", "0"], ["dev", "--bind", "x"], ["dev", "--topics", ""],
    ])
    func aWrongCommandLineIs64(arguments: [String]) throws {
        #expect(try CommandProcess.run(arguments).status == 64)
    }

    @Test func theExampleOfARegistryIsOneThatBrokersRead() throws {
        let text = DevRegistry.example(broker: Endpoint(host: "127.0.0.1", port: 1), topics: ["a \"b\"", "c"])
        #expect(text.contains("topics: [\"a \\\"b\\\"\", \"c\"]"))
        #expect(text.hasSuffix("  - groupIds: [\"s-c\"]\n    topic: \"c\"\n    bindType: \"fanout\"\n"))
    }
}
