import Foundation
import Testing

@testable import kiteq

/// What the shell sees of the built executable.
@Suite(.serialized) struct ExitStatusTests {
    private func temporaryFile(_ name: String, _ text: String) throws -> String {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("kiteq-\(UUID().uuidString)-\(name)")
        try text.write(to: path, atomically: true, encoding: .utf8)
        return path.path
    }

    @Test func versionAndHelpAreNoErrors() throws {
        let version = try CommandProcess.run(["--version"])
        #expect(version.status == 0)
        #expect(version.output == "\(Version.current)\n")
        for arguments in [[], ["--help"], ["serve", "--help"]] {
            let help = try CommandProcess.run(arguments)
            #expect(help.status == 0)
            #expect(help.output.contains("USAGE: kiteq"))
        }
    }

    @Test(arguments: [
        ["nonsense"], ["serve", "--nope"], ["serve", "--bind"], ["serve", "--bind", "nowhere"],
        ["serve", "--set", "nothing"], ["serve", "--set", "broker.nothing=1"],
        ["serve", "--store", "memory://", "--registry", "file://x"],
        ["serve", "--topics", "a", "--store", "memory://"],
        ["serve", "--topics", "a", "--registry", "file://x"],
    ])
    func aWrongCommandLineIs64(arguments: [String]) throws {
        let outcome = try CommandProcess.run(arguments)
        #expect(outcome.status == 64)
        #expect(outcome.output == "")
        #expect(!outcome.error.isEmpty)
    }

    @Test func aWrongFileIs1AndOneLine() throws {
        let path = try temporaryFile("wrong.toml", "[broker]\nbind = 5\n")
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(atPath: path) } }
        for (arguments, environment) in [(["serve", "--config", path], [:]), (["serve"], ["KITEQ_CONFIG": path])] {
            let outcome = try CommandProcess.run(arguments, environment: environment)
            #expect(outcome.status == 1)
            #expect(outcome.error == "kiteq: \(path): broker.bind must be HOST:PORT, not 5\n")
        }
    }

    @Test(arguments: ["nothing://x", "memory://?shards=0", "memory:"])
    func aWrongStoreIsWhoSaidIt(url: String) throws {
        let flag = try CommandProcess.run(["serve", "--topics", "a", "--store", url, "--registry", "file://x"])
        let variable = try CommandProcess.run(
            ["serve", "--topics", "a", "--registry", "file://x"], environment: ["KITEQ_STORE": url])
        #expect([flag.status, variable.status] == [64, 1])
        for outcome in [flag, variable] {
            #expect(outcome.error.hasPrefix("kiteq: "))
            #expect(outcome.error.filter(\.isNewline).count == 1)
        }
    }

    struct Ending: Sendable {
        var line: String
        var status: Int32
    }

    private static let serve = "serve --topics a --store memory://"
    private static let publish = "publish --brokers 127.0.0.1:1 --topic t --type a"

    static let endings: [Ending] = [
        Ending(line: "\(serve) --registry etcd://h", status: 64),
        Ending(line: "\(serve) --registry zk://h:1//x", status: 64),
        Ending(line: "publish --registry zk://h:port --topic t --type a x", status: 64),
        Ending(line: "migrate --store mysql://h:port/kite", status: 64),
        Ending(line: "\(serve) --registry zk://h:1 --set registry.acl=creator", status: 64),
        Ending(line: "\(serve) --registry zk://h:1 --set registry.auth_file=/no/file", status: 1),
        Ending(line: "serve --config /no/file", status: 1),
        Ending(line: "\(serve) --registry file://x --set groups.file=/no/file", status: 1),
        Ending(line: "groups --admin https://127.0.0.1:1 --admin-ca /no/file", status: 1),
        Ending(line: "groups --admin http://127.0.0.1:1 --token-file /no/file", status: 1),
        Ending(line: "\(publish) --secret-file /no/file x", status: 1),
        Ending(line: "\(publish) --tls-ca /no/file x", status: 1),
    ]

    /// One rule: what was said on the command line is 64, the files that it names are 1.
    @Test(arguments: endings)
    func theCommandLineIs64AndFilesAre1(ending: Ending) throws {
        let outcome = try CommandProcess.run(ending.line.split(separator: " ").map(String.init))
        #expect(outcome.status == ending.status, "\(ending.line): \(outcome)")
        #expect(outcome.output == "" && outcome.error.hasPrefix("kiteq: "), "\(outcome)")
        for raw in ["NIO", "BoringSSL", "Error(", "errno"] { #expect(!outcome.error.contains(raw), "\(outcome.error)") }
    }

    @Test func aRegistryThatCannotBeReachedIs1AndNamed() throws {
        let outcome = try CommandProcess.run([
            "serve", "--topics", "a", "--store", "memory://", "--registry", "zk://user:hush@127.0.0.1:1", "--bind",
            "127.0.0.1:0", "--log-level", "error", "--set", "broker.start_timeout=1s",
        ])
        #expect(outcome.status == 1)
        #expect(
            outcome.error.split(separator: "\n").last
                == "kiteq: not serving after 1s: the registry zk://127.0.0.1:1 cannot be reached, and the store knows no bindings from before"
        )
        #expect(!outcome.error.contains("hush"))
    }

    @Test func aPortThatIsTakenIs1AndNamed() throws {
        let path = try temporaryFile("registry.yaml", "bindings: []\n")
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(atPath: path) } }
        let arguments = [
            "serve", "--topics", "a", "--store", "memory://", "--registry", "file://\(path)", "--log-level", "error",
        ]
        let first = try CommandProcess(arguments + ["--bind", "127.0.0.1:0"])
        let line = try first.firstLine()
        let port = try #require(line.split(separator: "127.0.0.1:").last?.prefix { $0.isNumber })
        let second = try CommandProcess.run(arguments + ["--bind", "127.0.0.1:\(port)"])
        #expect(second.status == 1)
        #expect(second.error.hasPrefix("kiteq: cannot listen on 127.0.0.1:\(port)"))
        #expect(second.error.filter(\.isNewline).count == 1)
        #expect(second.output == "")
        first.process.terminate()
        #expect(try first.wait().status == 0)
    }

    @Test(arguments: [SIGTERM, SIGINT])
    func aSignalEndsItInOrder(signal: Int32) throws {
        let path = try temporaryFile("registry.yaml", "bindings: []\n")
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(atPath: path) } }
        let broker = try CommandProcess([
            "serve", "--topics", "trade,feed", "--store", "memory://", "--registry", "file://\(path)", "--bind",
            "127.0.0.1:0", "--admin", "127.0.0.1:0",
        ])
        let line = try broker.firstLine()
        #expect(line.hasPrefix("kiteq: serving feed,trade on 127.0.0.1:"))
        #expect(
            line.contains("(store memory 4 shards, lost at the end, registry file://\(path), admin http://127.0.0.1:"))
        kill(broker.process.processIdentifier, signal)
        let outcome = try broker.wait()
        #expect(outcome.status == 0)
        #expect(outcome.output == "")
    }
}
