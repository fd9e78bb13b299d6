import HTTPTypes
import Hummingbird
import KiteQCore
import Logging
import NIOHTTP1

/// Makes a ``Problem`` of every error, and sets the headers that each answer has.
struct ProblemMiddleware: RouterMiddleware {
    let logger: Logger

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
            response = try problem(for: error, request).response(from: request, context: context)
        }
        SecurityHeaders.add(to: &response.headers)
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
            logger.warning("the store could not do what a request asks for: \(error)", metadata: metadata(request))
            return Problem(.serviceUnavailable, "the store cannot do this now; the broker's log has the reason")
        default:
            logger.error("a request failed: \(error)", metadata: metadata(request))
            return Problem(.internalServerError, "the broker could not answer this; its log has the reason")
        }
    }

    private func metadata(_ request: Request) -> Logger.Metadata {
        ["path": "\(request.uri.path)", "method": "\(request.method.rawValue)"]
    }
}
