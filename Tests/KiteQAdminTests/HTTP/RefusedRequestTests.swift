import HTTPTypes
import Hummingbird
import HummingbirdTesting
import KiteQCore
import Logging
import NIOHTTP1
import Testing

@testable import KiteQAdmin

/// What no route sees.
@Suite struct RefusedRequestTests {
    @Test(
        arguments: [
            (HTTPRequest.Method.delete, "/api/v1/overview", "GET, HEAD"),
            (.get, "/api/v1/groups/s-member/pause", "POST"),
            (.trace, "/api/v1/openapi.yaml", "GET, HEAD"), (.get, "/api/v1/dead-letters/count", "POST"),
            (.post, "/metrics", "GET, HEAD"),
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

    @Test(arguments: [
        ("/healthz", 200), ("/console/", 200), ("/api/v1/openapi.yaml", 200), ("/api/v1/overview", 401),
        ("/api/v1/nothing", 404), ("/api/v1/pull", 405),
    ])
    func headIsGetWithoutABody(path: String, status: Int) async throws {
        try await AdminFixture.serving { admin in
            try await admin.client.execute(uri: path, method: .head) { answer in
                #expect(answer.status.code == status)
                #expect(answer.body.readableBytes == 0)
                // That of the body which is not sent.
                #expect(answer.headers[.contentLength] != "0" && answer.headers[.contentLength] != nil)
                #expect(answer.headers[.allow] == (status == 405 ? "POST" : nil))
            }
        }
    }

    @Test func aBodyThatIsNoHTTPIsAnsweredWithAProblem() async throws {
        try await AdminFixture.serving { admin in
            try await LiveAdmin.serving(services: admin.openServices) { port in
                let client = try await RawClient.connect(to: port)
                let head = "Host: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
                client.send("POST /api/v1/groups/s-member/pause HTTP/1.1\r\n\(head)zz\r\n")
                try await eventually("its body") { client.received.contains("this is no request of HTTP/1.1") }
                #expect(try await client.answer() == "HTTP/1.1 400 Bad Request")
                try await client.closed()
            }
        }
    }

    @Test func aHeadThatIsTooLargeIsAnsweredWithAProblem() async throws {
        let server = AdminServer(
            host: "127.0.0.1", port: 0, probe: AdminProbe(readiness: { Readiness([]) }, status: { nil }),
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
