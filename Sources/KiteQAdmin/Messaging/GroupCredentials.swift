import Foundation
import HTTPTypes
import Hummingbird
import KiteQBroker

/// A group and its secret, from `Authorization: Basic`.
struct GroupCredentials: Sendable {
    var group: String
    var secret: String

    /// - Throws: ``Problem`` with 401 where there is none or it cannot be read.
    init(_ request: Request) throws(Problem) {
        let kind: HTTPRefusals.Kind = request.headers[.authorization] == nil ? .missing : .secret
        let parts = (request.headers[.authorization] ?? "").split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "basic",
            let data = Data(base64Encoded: String(parts[1])), let text = String(validating: data, as: UTF8.self),
            let colon = text.utf8.firstIndex(of: UInt8(ascii: ":"))
        else {
            throw Problem.unauthorizedGroup(
                kind, "the group and its secret are needed: Authorization: Basic BASE64(GROUP:SECRET)")
        }
        group = String(text[..<colon])
        secret = String(Substring(text.utf8[colon...].dropFirst()))
        guard (1...255).contains(group.utf8.count) else {
            throw Problem.unauthorizedGroup(kind, "a group's name has 1 to 255 bytes")
        }
    }
}

/// Lets groups in as the broker's own port does, with the same secrets; browsers sent by other sites it does not.
struct GroupMiddleware: RouterMiddleware {
    let services: AdminServices
    let memory: RequestMemory

    func handle(
        _ request: Request, context: AdminContext, next: (Request, AdminContext) async throws -> Response
    ) async throws -> Response {
        try CrossSiteRule.check(request)
        let credentials = try GroupCredentials(request)
        guard let messaging = services.broker.messaging else { throw Problem.notServing }
        switch try await proof(of: credentials, messaging, context.source.place) {
        case .anyone: try services.access.policy.checkOpenGroup(context.source)
        case .shown: break
        case .refused:
            throw Problem.unauthorizedGroup(
                .secret, "the group is not known here, or its secret is wrong",
                logged: "group \(credentials.group) is not known here, or its secret is wrong")
        case .paused(let wait): throw Problem.paused(for: wait, "wrong secrets of the group")
        }
        var context = context
        context.group = credentials.group
        let lease = MemoryLease(
            memory.bodies, for: RequestMemory.keys(group: credentials.group, place: context.source.place))
        defer { lease.end() }
        let known = context
        return try await MemoryLease.$current.withValue(lease) { try await next(request, known) }
    }

    private func proof(
        of credentials: GroupCredentials, _ messaging: Messaging, _ place: String
    ) async throws -> GroupProof {
        do {
            return try await MessagingRoutes.problems {
                try await messaging.admits(
                    group: credentials.group, secret: credentials.secret, from: place,
                    isThere: CallerPresence.here)
            }
        } catch var problem as Problem {
            if problem.status == .tooManyRequests { problem.refusal = .busy }
            throw problem
        }
    }
}
