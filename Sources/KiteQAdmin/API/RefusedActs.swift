import Hummingbird

/// Writes down acts that were not begun: whoever asked was not let in, may not act, or asked for something that cannot be.
struct RefusedActs: RouterMiddleware {
    let action: String
    /// What acts on the broker are done to.
    let broker: String
    let auditor: Auditor
    let rows: RefusedActRows

    /// A target as the path has it, characters: it may be anything.
    private static let targetLength = 255

    func handle(
        _ request: Request, context: AdminContext, next: (Request, AdminContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        let trail = ActTrail()
        context.trail = trail
        do {
            return try await next(request, context)
        } catch {
            if !trail.isBegun { await write(error, context) }
            throw error
        }
    }

    private func write(_ error: any Error, _ context: AdminContext) async {
        auditor.acts.count(action, .refused)
        guard let left = rows.admit(from: context.source.place) else { return }
        let problem = error as? Problem
        let status = problem.map { "\($0.status.code) " } ?? ""
        await auditor.write(
            action, target(context), left > 0 ? ["leftOut": "\(left)"] : [:], context,
            outcome: "refused: \(status)\(problem?.detail ?? "\(error)")")
    }

    private func target(_ context: AdminContext) -> String {
        let named = context.part("group") ?? context.part("id")
        return String((named ?? (action.hasPrefix("broker.") ? broker : "")).prefix(Self.targetLength))
    }
}
