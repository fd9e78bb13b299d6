import HTTPTypes
import Hummingbird
import KiteQCore
import Logging
import NIOHTTP1
import Synchronization

/// Makes a ``Problem`` of every error, counts who is not let in, and sets the headers that each answer has.
struct ProblemMiddleware: RouterMiddleware {
    let refusals: HTTPRefusals
    let tls: AdminTLS
    let logger: Logger
    private let failures = Failures()

    init(refusals: HTTPRefusals, tls: AdminTLS, logger: Logger) {
        self.refusals = refusals
        self.tls = tls
        self.logger = logger
    }

    /// What goes wrong may go wrong for all who ask, again and again: ten lines a minute of each kind.
    private final class Failures: Sendable {
        enum Kind { case store, other }

        private let lines = Mutex(PlaceThrottle<Kind>(ofPlace: 10, ofKind: 10))

        /// What a line ends with; nil where it is left out.
        func admit(_ kind: Kind) -> String? {
            let left = lines.withLock { $0.admit(kind, from: "", now: .now) }
            return left.map { $0 > 0 ? " (\($0) more such lines were left out)" : "" }
        }
    }

    func handle(
        _ request: Request, context: AdminContext, next: (Request, AdminContext) async throws -> Response
    ) async throws -> Response {
        var response: Response
        do {
            response = try await next(request, context)
        } catch let error as HTTPParserError {
            // The body is broken HTTP: the server answers it as it does a broken head, and ends the connection.
            throw error
        } catch {
            let problem = self.problem(for: error, request)
            if let kind = problem.refusal {
                refusals.refuse(
                    kind, place: context.source.place, remote: context.source.remote, problem.logged ?? problem.detail,
                    metadata(request))
            }
            response = try problem.response(from: request, context: context)
        }
        SecurityHeaders.add(to: &response.headers)
        if let policy = tls.transportPolicy(for: context.source.hosts) {
            response.headers[.strictTransportSecurity] = policy
        }
        // What is not found or not allowed, too.
        return request.method == .head ? response.createHeadResponse() : response
    }

    private func problem(for error: any Error, _ request: Request) -> Problem {
        switch error {
        case let problem as Problem: return problem
        case let error as HTTPError:
            return Problem(
                error.status,
                error.body ?? "\(request.method.rawValue) \(request.uri.path): \(error.status.reasonPhrase)")
        // What the store says may name hosts and users: it goes to the log, and whoever asked learns that it failed.
        case let error as StoreError where error.isOutage || error.code == .fenced:
            if let others = failures.admit(.store) {
                logger.warning(
                    "the store could not do what a request asks for: \(error)\(others)", metadata: metadata(request))
            }
            return Problem(.serviceUnavailable, "the store cannot do this now; the broker's log has the reason")
        default:
            if let others = failures.admit(.other) {
                logger.error("a request failed: \(error)\(others)", metadata: metadata(request))
            }
            return Problem(.internalServerError, "the broker could not answer this; its log has the reason")
        }
    }

    private func metadata(_ request: Request) -> Logger.Metadata {
        ["path": "\(request.uri.path)", "method": "\(request.method.rawValue)"]
    }
}
