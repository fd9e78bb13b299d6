import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOSSL

/// A client of a broker's administration: `openapi.yaml` of KiteQAdmin says what it answers.
///
/// Each call is one request with one deadline. Nothing is asked twice, since an act is not to be done twice, and no redirect is
/// followed, since the token is for this address. No proxy is used.
package struct AdminClient: Sendable {
    package let configuration: AdminClientConfiguration
    private let http: HTTPClient

    /// A client that lives as long as `body` runs.
    package static func with<Result: Sendable>(
        _ configuration: AdminClientConfiguration, _ body: (AdminClient) async throws -> Result
    ) async throws -> Result {
        try await HTTPClient.withHTTPClient(configuration: transport(configuration)) {
            try await body(AdminClient(configuration: configuration, http: $0))
        }
    }

    private static func transport(_ configuration: AdminClientConfiguration) -> HTTPClient.Configuration {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv12
        if !configuration.authorities.isEmpty { tls.trustRoots = .certificates(configuration.authorities) }
        if let certificate = configuration.certificate {
            tls.certificateChain = certificate.chain.map { .certificate($0) }
            tls.privateKey = .privateKey(certificate.key)
        }
        var transport = HTTPClient.Configuration(
            tlsConfiguration: tls, redirectConfiguration: .disallow, timeout: .init(connect: .seconds(5)))
        transport.httpVersion = .http1Only
        // Who waits for an address that nobody listens at waits for nothing.
        transport.connectionPool.retryConnectionEstablishment = false
        return transport
    }

    /// - Throws: ``AdminClientError``, or `CancellationError`.
    package func send<Answer: Decodable & Sendable>(_ request: API.Request<Answer>) async throws -> Answer {
        try decoded(await bytes(of: request))
    }

    /// The answer as it is, with fields that this version does not know.
    /// - Throws: ``AdminClientError``, or `CancellationError`.
    package func json<Answer>(_ request: API.Request<Answer>) async throws -> JSONValue {
        try decoded(await bytes(of: request))
    }

    /// The answer, and as it is: for who prints what an act did and goes by it, too.
    /// - Throws: ``AdminClientError``, or `CancellationError`.
    package func sendWithJSON<Answer: Decodable & Sendable>(
        _ request: API.Request<Answer>
    ) async throws -> (answer: Answer, json: JSONValue) {
        let bytes = try await bytes(of: request)
        return (try decoded(bytes), try decoded(bytes))
    }

    private func bytes<Answer>(of request: API.Request<Answer>) async throws -> ByteBuffer {
        do {
            let prepared = self.prepared(request)
            return try await withDeadline(configuration.timeout) {
                // The deadline of the library ends with the head; ours, with the last byte.
                let response = try await http.execute(prepared, deadline: .distantFuture)
                return try await checked(response)
            }
        } catch  where Task.isCancelled {
            throw CancellationError()
        } catch {
            throw AdminClientError(
                transport: error, address: configuration.address, isAct: request.method != .get)
        }
    }

    private func prepared<Answer>(_ request: API.Request<Answer>) -> HTTPClientRequest {
        var prepared = HTTPClientRequest(url: "\(configuration.address)/api/v1\(request.target)")
        prepared.method = request.method == .get ? .GET : .POST
        prepared.headers.add(name: "Accept", value: "application/json, application/problem+json")
        prepared.headers.add(name: "User-Agent", value: "kiteq")
        if let token = configuration.token { prepared.headers.add(name: "Authorization", value: "Bearer \(token)") }
        guard request.method == .post else { return prepared }
        prepared.headers.add(name: "Content-Type", value: "application/json")
        prepared.body = request.body.map { .bytes($0) }
        return prepared
    }

    /// The body of an answer that is one.
    private func checked(_ response: HTTPClientResponse) async throws -> ByteBuffer {
        let type = response.headers.first(name: "Content-Type")?.lowercased() ?? ""
        let address = configuration.address
        switch response.status.code {
        case 200..<300 where type.hasPrefix("application/json"):
            return try await response.body.collect(upTo: configuration.answerLimit)
        case 300..<400:
            throw AdminClientError("\(address) points elsewhere (status \(response.status.code)), and is not followed")
        case _ where type.hasPrefix("application/problem+json"):
            let problem: API.Problem = try decoded(await response.body.collect(upTo: 1 << 20))
            let hint = problem.status == 401 && configuration.token == nil ? " (KITEQ_TOKEN or --token-file)" : ""
            throw AdminClientError("\(problem.detail)\(hint)", problem: problem)
        default:
            throw AdminClientError(
                "\(address) answered with status \(response.status.code) and nothing that is understood: is it a broker's administration?"
            )
        }
    }

    private func decoded<Answer: Decodable>(_ bytes: ByteBuffer) throws -> Answer {
        do {
            return try APICoding.decoder().decode(Answer.self, from: Data(bytes.readableBytesView))
        } catch {
            throw AdminClientError(
                "\(configuration.address) gave an answer that is not understood: \(Self.brief(error))")
        }
    }

    /// Where in the answer, and what: an error of the decoder is a page long.
    private static func brief(_ error: any Error) -> String {
        let context: DecodingError.Context
        switch error {
        case DecodingError.keyNotFound(let key, let found): return "\(path(found))'\(key.stringValue)' is missing"
        case DecodingError.typeMismatch(_, let found), DecodingError.valueNotFound(_, let found): context = found
        case DecodingError.dataCorrupted(let found): context = found
        default: return "\(error)"
        }
        return path(context) + context.debugDescription
    }

    private static func path(_ context: DecodingError.Context) -> String {
        context.codingPath.isEmpty ? "" : context.codingPath.map(\.stringValue).joined(separator: ".") + ": "
    }
}
