import Foundation
import LocalServers
import Testing

@testable import kiteq

/// The built executable against a real MariaDB.
@Suite(.serialized, .timeLimit(.minutes(3))) struct DatabaseCommandTests {
    /// Runs `body` with a database of its own, and the URL of a store in it.
    private func withDatabase(_ body: (LocalMariaDB, String) async throws -> Void) async throws {
        let folder = try LocalServers.temporaryFolder("commands")
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: folder) } }
        let database = try LocalMariaDB(dataDirectory: folder)
        try await database.start()
        do {
            try await body(database, "mysql://root@127.0.0.1:\(database.port)/kite?shards=2")
        } catch {
            await database.stop()
            throw error
        }
        await database.stop()
    }

    private func registry() throws -> String {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("kiteq-\(UUID().uuidString).yaml")
        try "bindings: []\n".write(to: file, atomically: true, encoding: .utf8)
        return file.path
    }

    @Test func aDatabaseIsMigratedAndThenServed() async throws {
        let registry = try registry()
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(atPath: registry) } }
        try await withDatabase { _, store in
            let serve = ["serve", "--topics", "trade", "--registry", "file://\(registry)", "--bind", "127.0.0.1:0"]

            let unmigrated = try CommandProcess.run(serve + ["--store", store, "--log-level", "error"])
            #expect(unmigrated.status == 1)
            #expect(unmigrated.error.contains("`kiteq migrate`"))
            #expect(unmigrated.error.filter(\.isNewline).count == 1)
            #expect(unmigrated.output == "")

            let migrated = try CommandProcess.run(["migrate"], environment: ["KITEQ_STORE": store])
            #expect(migrated.status == 0)
            #expect(migrated.output.hasPrefix("kite_0: applied 0001_"))
            #expect(migrated.output.contains("\nkite_1: applied 0001_"))
            let again = try CommandProcess.run(["migrate", "--store", store])
            #expect(again.status == 0)
            #expect(again.output == "kite_0: nothing to do\nkite_1: nothing to do\n")

            let fewer = store.replacingOccurrences(of: "shards=2", with: "shards=1")
            let otherShards = try CommandProcess.run(serve + ["--store", fewer, "--log-level", "error"])
            #expect(otherShards.status == 1)
            #expect(otherShards.error.filter(\.isNewline).count == 1)

            let broker = try CommandProcess(serve + ["--store", store])
            let line = try broker.firstLine()
            #expect(line.hasPrefix("kiteq: serving trade on 127.0.0.1:"))
            #expect(line.hasSuffix("(store mysql 2 shards, registry file://\(registry))"))
            broker.process.terminate()
            let ended = try broker.wait()
            #expect(ended.status == 0)
            #expect(!ended.error.contains("error"))
        }
    }

    /// One that works keeps its name and its address; one that is to take over is told so.
    @Test func aNameIsWorkedUnderByOneProcess() async throws {
        let registry = try registry()
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(atPath: registry) } }
        try await withDatabase { _, store in
            #expect(try CommandProcess.run(["migrate", "--store", store]).status == 0)
            let port = try LocalServers.freePort()
            func serve(_ port: Int, _ more: String...) throws -> CommandProcess {
                try CommandProcess(
                    [
                        "serve", "--topics", "trade", "--registry", "file://\(registry)", "--store", store, "--name",
                        "one",
                        "--bind", "127.0.0.1:\(port)", "--log-level", "error", "--set", "store.lease=3s",
                    ] + more)
            }
            let first = try serve(port)
            #expect(try first.firstLine().hasPrefix("kiteq: serving"))
            let sameAddress = try serve(port, "--take-over").wait()
            #expect(sameAddress.status == 1 && sameAddress.error.contains("cannot listen on 127.0.0.1:\(port)"))
            let sameName = try serve(0).wait()
            #expect(sameName.status == 1 && sameName.output == "")
            #expect(sameName.error.contains("a broker of the name one works already"), "\(sameName.error)")
            #expect(sameName.error.filter(\.isNewline).count == 1)
            #expect(first.process.isRunning)
            let second = try serve(0, "--take-over")
            #expect(try second.firstLine().hasPrefix("kiteq: serving"))
            let ended = try first.wait()
            #expect(ended.status == 1 && ended.error.contains("another process of its name"), "\(ended.error)")
            // After a crash nobody has to wait for the lease, nor to say anything.
            kill(second.process.processIdentifier, SIGKILL)
            #expect(try second.wait().status == -SIGKILL)
            let third = try serve(0)
            #expect(try third.firstLine().hasPrefix("kiteq: serving"))
            third.process.terminate()
            #expect(try third.wait().status == 0)
        }
    }

    @Test func aWrongPasswordIsOneLineAndEndsTheStart() async throws {
        let registry = try registry()
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(atPath: registry) } }
        try await withDatabase { _, store in
            #expect(try CommandProcess.run(["migrate", "--store", store]).status == 0)
            let wrong = store.replacingOccurrences(of: "root@", with: "nobody:hush@")
            let outcome = try CommandProcess.run([
                "serve", "--topics", "trade", "--registry", "file://\(registry)", "--store", wrong, "--bind",
                "127.0.0.1:0", "--set", "broker.start_timeout=4s",
            ])
            #expect(outcome.status == 1 && outcome.output == "" && !outcome.error.contains("hush"))
            let lines = outcome.error.split(separator: "\n").filter { $0.contains("Access denied") }
            #expect(lines.count == 2, "once while it starts, and once at the end: \(outcome.error)")
            #expect(lines.last?.hasPrefix("kiteq: not serving after 4s: ") == true)
        }
    }

    @Test func aStoreThatCannotBeReachedIsOneLine() throws {
        let registry = try registry()
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(atPath: registry) } }
        let store = "mysql://root:hush@127.0.0.1:\(try LocalServers.freePort())/kite?shards=2"
        let serve = try CommandProcess.run([
            "serve", "--topics", "trade", "--registry", "file://\(registry)", "--store", store, "--log-level", "error",
            "--set",
            "store.wait_timeout=1s", "--set", "broker.start_timeout=2s",
        ])
        for outcome in [serve, try CommandProcess.run(["migrate", "--store", store])] {
            #expect(outcome.status == 1)
            #expect(outcome.output == "")
            let sentence = outcome.error.split(separator: "\n").last ?? ""
            #expect(sentence.hasPrefix("kiteq: "))
            #expect(sentence.contains("127.0.0.1"))
            #expect(!outcome.error.contains("hush"))
        }
        #expect(serve.error.filter(\.isNewline).count == 2, "one in the log when it first fails, one at the end")
    }

    @Test func migratePrintsForADBAWithoutConnecting() throws {
        let outcome = try CommandProcess.run([
            "migrate", "--print", "--store", "mysql://kiteq:hush@127.0.0.1:1/kite?shards=2",
        ])
        #expect(outcome.status == 0)
        #expect(outcome.error == "")
        #expect(outcome.output.contains("CREATE TABLE IF NOT EXISTS kite_message"))
        #expect(outcome.output.contains("USE `kite_1`;"))
        #expect(!outcome.output.contains("hush"))
    }

    @Test func migrateNeedsAStoreWithTables() throws {
        #expect(try CommandProcess.run(["migrate"]).status == 64)
        #expect(try CommandProcess.run(["migrate", "--store", "memory://"]).status == 64)
    }
}
