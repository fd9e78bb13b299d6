import NIOSSL
import TestSupport
import Testing

@testable import KiteQAdminClient

/// The client against a server that answers as it should, and as it should not.
@Suite(.timeLimit(.minutes(2))) struct AdminClientTests {
    private func ask<Result: Sendable>(
        token: String? = nil, timeout: Duration = .seconds(60), limit: Int = 1 << 20,
        _ answer: @escaping @Sendable (FixtureServer.Request) -> FixtureServer.Answer,
        _ body: (AdminClient, FixtureServer) async throws -> Result
    ) async throws -> Result {
        try await FixtureServer.with(answer) { server in
            let address = try #require(AdminAddress("127.0.0.1:\(server.port)"))
            var configuration = try AdminClientConfiguration(address: address, token: token, timeout: timeout)
            configuration.answerLimit = limit
            return try await AdminClient.with(configuration) { try await body($0, server) }
        }
    }

    /// What the client says of an answer.
    private func refusal(
        token: String? = nil, timeout: Duration = .seconds(60), limit: Int = 1 << 20, isAct: Bool = false,
        _ answer: FixtureServer.Answer
    ) async throws -> AdminClientError {
        try await ask(token: token, timeout: timeout, limit: limit, { _ in answer }) { client, server in
            do {
                if isAct {
                    _ = try await client.send(API.pause(group: "g", reason: "r"))
                } else {
                    _ = try await client.send(API.countDeadLetters(.init()))
                }
                throw NoRefusal()
            } catch let error as AdminClientError {
                // Nothing is tried twice.
                #expect(server.requests.count == 1)
                return error
            }
        }
    }

    private struct NoRefusal: Error {}

    @Test func anAnswerIsDecodedAndTheTokenIsSent() async throws {
        try await ask(token: "t0ken", { _ in .json(#"{"count": 7, "isAtLeast": true, "new": 1}"#) }) { client, server in
            let (count, json) = try await client.sendWithJSON(API.countDeadLetters(.init()))
            #expect(count == API.Count(count: 7, isAtLeast: true))
            #expect(json == .object(["count": .integer(7), "isAtLeast": .bool(true), "new": .integer(1)]))
            let request = try #require(server.requests.first)
            #expect(request.method == "POST" && request.target == "/api/v1/dead-letters/count" && request.body == "{}")
            #expect(request.header("Authorization") == "Bearer t0ken")
            #expect(request.header("Content-Type") == "application/json")
        }
    }

    @Test func anActWithoutAReasonIsAnEmptyObject() async throws {
        try await ask({ _ in .json(#"{"done": "it goes on"}"#) }) { client, server in
            #expect(try await client.send(API.resume(group: "a/b", reason: nil)).done == "it goes on")
            let request = try #require(server.requests.first)
            #expect(request.target == "/api/v1/groups/a%2Fb/resume" && request.body == "{}")
            #expect(request.header("Authorization") == nil)
        }
    }

    @Test func aProblemIsItsDetail() async throws {
        let text = #"{"title": "Conflict", "status": 409, "detail": "8 match now, not 7", "count": 8}"#
        let error = try await refusal(.problem(text, status: 409))
        #expect(error.description == "8 match now, not 7" && error.problem?.count == 8)
        let unknown = #"{"title": "Unauthorized", "status": 401, "detail": "a token is needed"}"#
        #expect(
            try await refusal(.problem(unknown, status: 401)).description
                == "a token is needed (KITEQ_TOKEN or --token-file)")
        #expect(try await refusal(token: "t", .problem(unknown, status: 401)).description == "a token is needed")
    }

    @Test func whatIsNoAnswerIsSaid() async throws {
        for (answer, words) in [
            (FixtureServer.Answer.other("<html>", type: "text/html", status: 200), "is it a broker's administration?"),
            (.other("not found", type: "text/plain", status: 404), "status 404"),
            (.json("{", status: 200), "not understood"), (.json(#"{"count": 1}"#), "'isAtLeast' is missing"),
            (.json(#"{"count": "x", "isAtLeast": true}"#), "count: "),
            (.problem("{}", status: 500), "not understood"), (.close, "closed the connection without an answer"),
        ] {
            let error = try await refusal(answer)
            #expect(error.description.contains(words), "\(error)")
            #expect(error.problem == nil)
        }
    }

    @Test func aRedirectIsNotFollowed() async throws {
        try await FixtureServer.with({ _ in .json("{}") }) { other in
            let place = "http://127.0.0.1:\(other.port)/"
            let error = try await refusal(token: "t", .redirect(to: place))
            #expect(error.description.contains("not followed"))
            #expect(other.requests.isEmpty)
        }
    }

    @Test func aLongAnswerIsNotTaken() async throws {
        let long = String(repeating: " ", count: 5_000)
        for answer in [FixtureServer.Answer.json(long), .endless(chunk: long, count: 1_000)] {
            #expect(try await refusal(limit: 1_000, answer).description.contains("longer answer than is taken"))
        }
    }

    @Test func thereIsADeadlineForAllOfAnAnswer() async throws {
        for answer in [FixtureServer.Answer.silence, .beginning(#"{"count": "#)] {
            let error = try await refusal(timeout: .milliseconds(300), answer)
            #expect(error.description.contains("gave no answer within 0.3 seconds"))
        }
    }

    @Test func whoDidNotHearOfAnActDoesNotKnow() async throws {
        for answer in [FixtureServer.Answer.silence, .close] {
            let error = try await refusal(timeout: .milliseconds(300), isAct: true, answer)
            #expect(error.description.hasSuffix("may have been done all the same: see kiteq audit"))
        }
    }

    @Test func whereNobodyListensThatIsSaid() async throws {
        let port = try await FixtureServer.with({ _ in .silence }) { $0.port }
        let address = try #require(AdminAddress("127.0.0.1:\(port)"))
        await #expect(throws: AdminClientError("\(address) cannot be reached: Connection refused")) {
            try await AdminClient.with(AdminClientConfiguration(address: address, token: nil)) {
                _ = try await $0.send(API.overview())
            }
        }
    }

    @Test func whoIsCancelledIsCancelled() async throws {
        try await ask({ _ in .silence }) { client, server in
            await withTaskGroup(of: Void.self) { tasks in
                tasks.addTask {
                    await #expect(throws: CancellationError.self) { _ = try await client.send(API.overview()) }
                }
                while server.requests.isEmpty { await Task.yield() }
                tasks.cancelAll()
            }
        }
    }

    @Test func aServerIsTrustedByItsAuthority() async throws {
        let certificates = try TestCertificates()
        defer { #expect(throws: Never.self) { try certificates.remove() } }
        let context = try NIOSSLContext(
            configuration: .makeServerConfiguration(
                certificateChain: NIOSSLCertificate.fromPEMFile(certificates.file("server")).map { .certificate($0) },
                privateKey: .privateKey(NIOSSLPrivateKey(file: certificates.key("server"), format: .pem))))
        try await FixtureServer.with(tls: context, { _ in .json(#"{"done": "yes"}"#) }) { server in
            func ask(_ url: String, _ authority: String?) async throws -> String {
                let configuration = try AdminClientConfiguration(
                    address: #require(AdminAddress(url)), token: "t",
                    authoritiesFile: authority.map { certificates.file($0) })
                return try await AdminClient.with(configuration) {
                    try await $0.send(API.resume(group: "g", reason: nil)).done
                }
            }
            let answer = try await ask("https://127.0.0.1:\(server.port)", "ca")
            #expect(answer == "yes")
            for authority in ["stranger", nil] {
                await #expect {
                    try await ask("https://127.0.0.1:\(server.port)", authority)
                } throws: { error in
                    "\(error)".contains("--admin-ca")
                }
            }
            #expect(server.requests.count == 1)
            await #expect(throws: AdminClientError.self) { try await ask("http://127.0.0.1:\(server.port)", nil) }
        }
        try await FixtureServer.with({ _ in .close }) { server in
            let configuration = try AdminClientConfiguration(
                address: #require(AdminAddress("https://127.0.0.1:\(server.port)")), token: nil)
            await #expect(throws: AdminClientError.self) {
                try await AdminClient.with(configuration) { _ = try await $0.send(API.overview()) }
            }
        }
    }
}
