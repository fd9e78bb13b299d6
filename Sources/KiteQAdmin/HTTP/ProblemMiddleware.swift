import HTTPTypes
import Hummingbird
import Logging

/// Makes a ``Problem`` of every error, and sets the headers that each answer has.
struct ProblemMiddleware: RouterMiddleware {
    let logger: Logger

    func handle(
        _ request: Request, context: AdminContext, next: (Request, AdminContext) async throws -> Response
    ) async throws -> Response {
        var response: Response
        do {
            response = try await next(request, context)
        } catch {
            response = try problem(for: error, request).response(from: request, context: context)
        }
        SecurityHeaders.add(to: &response.headers)
        return response
    }

    private func problem(for error: any Error, _ request: Request) -> Problem {
        switch error {
        case let problem as Problem: return problem
        case let error as HTTPError:
            return Problem(
                error.status,
                error.body ?? "\(request.method.rawValue) \(request.uri.path): \(error.status.reasonPhrase)")
        default:
            // What the store says may name hosts and users: it goes to the log, and whoever asked learns that it failed.
            logger.error(
                "a request failed: \(error)",
                metadata: ["path": "\(request.uri.path)", "method": "\(request.method.rawValue)"])
            return Problem(.internalServerError, "the broker could not answer this; its log has the reason")
        }
    }
}
