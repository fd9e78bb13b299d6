import ArgumentParser
import Foundation
import KiteQAdminClient
import Testing

@testable import kiteq

/// What the commands for operators take, and what they make of it.
@Suite struct AdminArgumentTests {
    @Test func theAddressIsTheFlagsThenTheVariables() throws {
        let environment = ["KITEQ_ADMIN": "127.0.0.1:13801", "KITEQ_TOKEN": "t"]
        let byVariable = try AdminArguments.parse([]).configuration(environment: environment)
        #expect(byVariable.address.description == "http://127.0.0.1:13801" && byVariable.token == "t")
        #expect(byVariable.timeout == .seconds(30))
        let byFlag = try AdminArguments.parse(["--admin", "https://broker-1:443", "--timeout", "2m"])
            .configuration(environment: environment)
        #expect(byFlag.address.description == "https://broker-1:443" && byFlag.timeout == .seconds(120))
    }

    private func refusal(_ arguments: [String], _ environment: [String: String]) throws -> CommandError {
        do {
            _ = try AdminArguments.parse(arguments).configuration(environment: environment)
        } catch let error as CommandError {
            return error
        }
        throw NoRefusal()
    }

    private struct NoRefusal: Error {}

    @Test func whatIsWrongIsASentenceWithoutSecrets() throws {
        #expect(try refusal([], [:]).status == .usage)
        #expect(try refusal(["--admin", "http://u:hush@h:1"], [:]).status == .usage)
        #expect(try refusal([], ["KITEQ_ADMIN": "http://u:hush@h:1"]).status == .failure)
        let clear = try refusal(["--admin", "http://broker-1:1"], ["KITEQ_TOKEN": "hush"])
        #expect(clear.status == .usage && clear.description.contains("--insecure"))
        for error in [try refusal(["--admin", "http://u:hush@h:1"], [:]), clear] {
            #expect(!error.description.contains("hush"))
        }
        #expect(try refusal(["--admin", "h:1", "--token-file", "/nowhere"], [:]).status == .failure)
        let insecure = try AdminArguments.parse(["--admin", "broker-1:1", "--insecure"])
        #expect(try insecure.configuration(environment: ["KITEQ_TOKEN": "hush"]).token == "hush")
    }

    @Test func aTokenComesFromAFileOfOneLine() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "kiteq-token-\(UUID().uuidString)")
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: file) } }
        try Data("from-file\n".utf8).write(to: file)
        let arguments = try AdminArguments.parse(["--admin", "127.0.0.1:1", "--token-file", file.path])
        #expect(try arguments.configuration(environment: ["KITEQ_TOKEN": "other"]).token == "from-file")
        try Data("two words\n".utf8).write(to: file)
        #expect(throws: CommandError.self) { try arguments.configuration(environment: [:]) }
    }

    @Test(arguments: [
        ["top", "--interval", "100ms"], ["top", "--interval", "2"], ["messages", "show", "17"], ["messages", "show"],
        ["messages", "search", "--state", "dead"], ["messages", "search", "--state", "half", "--group", "g"],
        ["messages", "search", "--topic", ""], ["messages", "search", "--limit", "100001"],
        ["messages", "search", "--older-than", "2d", "--newer-than", "1d"], ["groups", "pause", "g"],
        ["groups", "pause", "--reason", "r"], ["groups", "pause", "g", "--reason", " "],
        ["groups", "pause", "g", "--reason", String(repeating: "x", count: 501)], ["groups", "show", ""],
        ["groups", "resume"], ["groups", "resume", "g", "--reason", " "], ["reload", "--reason", ""],
        ["groups", "--search", ""],
        ["topics", "--search", ""],
        ["transactions", "commit", "0123456789abcdef0123456789abcdef"],
        ["transactions", "rollback", "--reason", "r"], ["transactions", "commit", "17", "--reason", "r"],
        ["drain"], ["drain", "--reason", ""], ["reload", "x"], ["brokers", "--timeout", "0s"],
        ["audit", "--token", "t"], ["audit", "--admin-key", "k.pem"],
    ])
    func whatMakesNoSenseIsRefused(arguments: [String]) {
        #expect(throws: (any Error).self) { try KiteQCommand.parseAsRoot(arguments) }
    }

    @Test(arguments: [
        ["top"], ["top", "--interval", "500ms", "--once"], ["messages", "show", "0123456789ABCDEF0123456789abcdef"],
        ["messages", "search", "--group", "g", "--newest", "--limit", "5", "--json"], ["groups"], ["groups", "list"],
        ["groups", "show", "g"], ["groups", "pause", "g", "--reason", "r"], ["groups", "resume", "g"], ["topics"],
        ["transactions"], ["transactions", "rollback", "0123456789abcdef0123456789abcdef", "--reason", "r"],
        ["dead-letters"], ["brokers", "--json"], ["shards", "--admin-ca", "ca.pem"], ["audit", "--limit", "3"],
        ["drain", "--reason", "r"], ["reload"], ["reload", "--reason", "r"], ["groups", "--search", "s-"],
        ["topics", "--search", "tra"],
        ["groups", "resume", "g", "--reason", "r"],
    ])
    func whatMakesSenseIsTaken(arguments: [String]) throws {
        _ = try KiteQCommand.parseAsRoot(arguments)
    }

    @Test func agesAreTimes() throws {
        let ages = try AgeArguments.parse(["--older-than", "1m", "--newer-than", "1h"])
        let times = ages.times(now: Date(timeIntervalSince1970: 10_000))
        #expect(times.from == Date(timeIntervalSince1970: 6_400) && times.before == Date(timeIntervalSince1970: 9_940))
    }
}
