import HTTPTypes
import Hummingbird
import KiteQBroker
import KiteQCore

/// Publish, subscribe, pull, acknowledge and refuse for those without a client library.
struct MessagingRoutes {
    let broker: Broker
    let memory: RequestMemory

    func add(to routes: RouterGroup<AdminContext>) {
        routes.post("publish") { request, context in
            let (group, messaging) = try self.caller(request, context)
            let body = try await JSONText.decode(
                PublishRequest.self, from: request, limit: memory.publishBody, values: JSONBounds.publishValues)
            let outcomes = await messaging.publish(body.messages.map(\.message), group: group)
            return JSONAnswer(Items(items: outcomes.map(PublishAnswer.init)))
        }
        routes.post("subscribe") { request, context in
            let (group, messaging) = try self.caller(request, context)
            let body = try await JSONText.decode(SubscribeRequest.self, from: request, limit: Limits.smallBody)
            try await Self.problems {
                try await messaging.declare(bindings: body.bindings.map { $0.binding(of: group) }, group: group)
            }
            return JSONAnswer(Done(done: "\(body.bindings.count) bindings are declared"))
        }
        routes.post("pull") { request, context in
            let (group, messaging) = try self.caller(request, context)
            let body = try await JSONText.decode(PullRequest.self, from: request, limit: Limits.smallBody)
            let lease = MemoryLease(memory.answers, for: RequestMemory.keys(group: group, place: context.source.place))
            let messages = try await Self.problems {
                try await messaging.pull(
                    group: group, max: body.max, wait: .seconds(body.wait), visibility: .seconds(body.visibility),
                    hasRoom: { lease.take(PulledAnswer.bytes(for: $0)) })
            }
            // From here on the lease is the answer's.
            return LeasedAnswer(Items(items: messages.map(PulledAnswer.init)), lease)
        }
        routes.post("acknowledge") { request, context in
            let (group, messaging) = try self.caller(request, context)
            let body = try await JSONText.decode(Receipts.self, from: request, limit: Limits.receiptsBody)
            let outcomes = messaging.acknowledge(group: group, receipts: body.receipts)
            return JSONAnswer(Self.answer(body.receipts, outcomes))
        }
        routes.post("refuse") { request, context in
            let (group, messaging) = try self.caller(request, context)
            let body = try await JSONText.decode(Receipts.self, from: request, limit: Limits.receiptsBody)
            let outcomes = messaging.refuse(
                group: group, receipts: body.receipts, reason: body.reason ?? "refused over HTTP")
            return JSONAnswer(Self.answer(body.receipts, outcomes))
        }
    }

    private func caller(_ request: Request, _ context: AdminContext) throws(Problem) -> (String, Messaging) {
        try QueryReader(request).refuseRest()
        guard let group = context.group else { throw Problem.unauthorizedGroup(.missing, "no group") }
        guard let messaging = broker.messaging else { throw Problem.notServing }
        return (group, messaging)
    }

    private static func answer(_ receipts: [String], _ outcomes: [SettleOutcome]) -> Items<SettleAnswer> {
        Items(items: zip(receipts, outcomes).map(SettleAnswer.init))
    }

    static func problems<Result: Sendable>(_ body: () async throws -> Result) async throws -> Result {
        do {
            return try await body()
        } catch let error as MessagingError {
            switch error.code {
            case .invalid: throw Problem(.badRequest, error.description)
            case .forbidden: throw Problem(.forbidden, error.description)
            case .unsupported: throw Problem(.conflict, error.description)
            case .tooMany: throw Problem(.tooManyRequests, error.description)
            case .noRoom: throw Problem.full(error.description)
            case .stopping, .unavailable: throw Problem(.serviceUnavailable, error.description)
            }
        }
    }
}
