import HTTPTypes
import Hummingbird
import KiteQBroker
import KiteQCore

/// Half messages that nobody has decided.
struct TransactionRoutes {
    let store: any OperatorStore
    let broker: Broker
    let auditor: Auditor

    func add(toReading routes: ReadingRoutes) {
        routes.get("transactions", for: .counts, .within) { request, context in
            var query = try QueryReader(request)
            let limit = try query.limit()
            let cursor = try query.text("cursor")
            try query.refuseRest()
            let scope = try context.requireCaller().scope
            let page = try await store.openTransactions(scope, after: try self.cursor(cursor), limit: limit)
            return JSONAnswer(
                Listing(
                    items: page.transactions.map { transaction in
                        TransactionAnswer(transaction) { broker.isPresent($0) ?? false }
                    }, next: page.next?.description,
                    unreachable: page.failures.map(UnreachableShard.init)))
        }
    }

    func add(toActing routes: ActingRoutes) {
        routes.post("transactions/:id/commit", as: "transactions.commit", .within) { request, context in
            try await decide(.commit, "transactions.commit", request, context)
        }
        routes.post("transactions/:id/rollback", as: "transactions.rollback", .within) { request, context in
            try await decide(.rollBack, "transactions.rollback", request, context)
        }
    }

    private func decide(
        _ answer: TransactionDecision.Answer, _ action: String, _ request: Request, _ context: AdminContext
    ) async throws -> JSONAnswer<Done> {
        try QueryReader(request).refuseRest()
        let id = try MessageRoutes.id(context)
        let reason = try await JSONText.decode(Reason.self, from: request, limit: Limits.smallBody)
        guard broker.status != nil else {
            throw Problem(.serviceUnavailable, "this broker does not know the bindings yet")
        }
        let scope = try context.requireCaller().scope
        let done = try await auditor.note(action, of: id.description, ["reason": reason.reason], context) { note in
            let origin = try await store.story(of: id)?.origin
            // What is another's is as what is not there.
            let isTheirs = origin.map { scope.has(topic: $0.topic) && scope.has(group: $0.publisherGroup) }
            guard isTheirs ?? scope.isAll else { throw Self.unknown(id) }
            let resolution = try await store.decide(id, answer, to: []) { topic, messageType in
                broker.route(topic: topic, messageType: messageType)
            }
            note.result(try Self.sentence(for: resolution, id, .all))
            if let origin { note.detail(ActScope.key, Self.about(origin, resolution)) }
            return try Self.sentence(for: resolution, id, scope)
        }
        return JSONAnswer(Done(done: done))
    }

    /// A half message is its publisher's; what is said of the act names the groups that got it, too.
    private static func about(
        _ origin: (topic: String, publisherGroup: String), _ resolution: TransactionResolution
    ) -> String? {
        var groups = [origin.publisherGroup]
        if case .committed(let receivers) = resolution { groups += receivers }
        return ActScope.text(Set(groups.map { .init(topic: origin.topic, group: $0) }))
    }

    /// - Parameter scope: whose groups are named.
    private static func sentence(
        for resolution: TransactionResolution, _ id: MessageID, _ scope: NameScope
    ) throws(Problem) -> String {
        switch resolution {
        case .committed(let groups):
            var names = groups.filter { scope.has(group: $0) }.sorted()
            if names.count < groups.count { names.append(names.isEmpty ? "groups of others" : "others") }
            return "committed, for \(names.joined(separator: ", "))"
        case .rolledBack: return "rolled back"
        case .alreadyDecided(let outcome):
            throw Problem(.conflict, "it is decided already: \(TransactionOutcomeName(outcome).rawValue)")
        case .unknown: throw unknown(id)
        case .refused(let reason): throw Problem(.conflict, reason)
        }
    }

    private static func unknown(_ id: MessageID) -> Problem {
        Problem(.notFound, "no half message \(id) is known: never stored, or decided more than an hour ago")
    }

    private func cursor(_ text: String?) throws(Problem) -> TransactionCursor? {
        guard let text else { return nil }
        guard let cursor = TransactionCursor(text) else { throw Problem.wrongCursor }
        return cursor
    }
}

struct TransactionAnswer: Encodable, Sendable {
    var id: String
    var topic: String
    var messageType: String
    var publisherGroup: String
    var publishedAt: Time
    var checks: Int
    var nextCheckAt: Time
    /// Whether there is anybody to ask then.
    var isAskable: Bool
    var shard: Int

    init(_ transaction: OpenTransaction, isPresent: (String) -> Bool) {
        id = transaction.messageID.description
        topic = transaction.topic
        messageType = transaction.messageType
        publisherGroup = transaction.publisherGroup
        publishedAt = transaction.publishedAt.time
        checks = transaction.checks
        nextCheckAt = transaction.nextCheckAt.time
        isAskable = isPresent(transaction.publisherGroup) || isPresent(transaction.connectionGroup)
        shard = transaction.shard
    }
}

enum TransactionOutcomeName: String, Encodable, Sendable {
    case undecided, committed, rolledBack, parked

    init(_ outcome: TransactionOutcome) {
        switch outcome {
        case .undecided: self = .undecided
        case .committed: self = .committed
        case .rolledBack: self = .rolledBack
        case .parked: self = .parked
        }
    }
}
