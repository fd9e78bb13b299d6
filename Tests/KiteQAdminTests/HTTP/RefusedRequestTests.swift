import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOHTTP1
import Testing

@testable import KiteQAdmin

/// What no route sees.
@Suite struct RefusedRequestTests {
    @Test(
        arguments: [
            (HTTPRequest.Method.delete, "/api/v1/overview", "GET"), (.get, "/api/v1/groups/s-member/pause", "POST"),
            (.trace, "/api/v1/openapi.yaml", "GET"), (.get, "/api/v1/dead-letters/count", "POST"),
            (.post, "/metrics", "GET"),
        ] as [(HTTPRequest.Method, String, String)])
    func anotherMethodIsToldWhichThereAre(method: HTTPRequest.Method, path: String, allowed: String) async throws {
        try await AdminFixture.serving { admin in
            try await admin.client.execute(uri: path, method: method) { answer in
                #expect(answer.status == .methodNotAllowed)
                #expect(answer.headers[.allow] == allowed)
                #expect(answer.headers[.contentType] == "application/problem+json")
                #expect(String(buffer: answer.body).contains("only \(allowed)"))
            }
            try await admin.client.execute(uri: "/api/v1/nothing", method: method) { #expect($0.status == .notFound) }
        }
    }

    @Test func aHeadThatIsTooLargeIsAnsweredWithAProblem() async throws {
        let server = AdminServer(
            host: "127.0.0.1", port: 0, probe: AdminProbe(whyNotReady: { nil }, status: { nil }),
            metrics: PrometheusMetrics(), logger: Logger(label: "test"))
        let app = Application(
            router: server.makeRouter(), server: server.server,
            configuration: .init(address: .hostname("127.0.0.1", port: 0)))
        try await app.test(.live) { client in
            try await client.execute(uri: "/healthz", method: .get) { #expect($0.status == .ok) }
            let long = String(repeating: "a", count: AdminLimits().allHeaderBytes)
            try await client.execute(uri: "/healthz?" + long, method: .get) {
                #expect($0.status == .requestHeaderFieldsTooLarge)
                #expect($0.headers[.contentType] == "application/problem+json")
                #expect(String(buffer: $0.body).contains("16384 bytes"))
            }
        }
    }

    @Test func whatIsNoHTTPIsCalledSo() {
        let problem = UnreadableRequests.problem(for: .invalidMethod, AdminLimits())
        #expect(problem.status == .badRequest && problem.detail == "this is no request of HTTP/1.1")
    }
}
