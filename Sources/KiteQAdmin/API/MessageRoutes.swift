import HTTPTypes
import Hummingbird
import KiteQCore

/// Undone messages: searched for, and one with its story.
struct MessageRoutes {
    let store: any OperatorStore

    func add(to routes: ReadingRoutes) {
        routes.get("messages", for: .counts, .within) { request, context in
            var query = try QueryReader(request)
            let limit = try query.limit()
            let cursor = try query.text("cursor")
            let order = try query.choice("order", MessageOrderName.self) ?? .oldest
            var filter = MessageFilter()
            filter.topic = try query.name("topic")
            filter.messageType = try query.name("type")
            filter.group = try query.name("group")
            filter.state = try query.choice("state", MessageStateName.self)?.state
            filter.acceptedFrom = try query.time("from")
            filter.acceptedBefore = try query.time("before")
            try query.refuseRest()
            try Self.admit(&filter, try context.requireCaller())
            let page = try await store.messages(filter, after: try self.cursor(cursor, order), limit: limit)
            return JSONAnswer(
                Listing(
                    items: page.messages.map(MessageAnswer.init), next: page.next?.description,
                    unreachable: page.failures.map(UnreachableShard.init)))
        }
        routes.get("messages/:id", for: .counts, .within) { request, context in
            try QueryReader(request).refuseRest()
            let id = try Self.id(context)
            let caller = try context.requireCaller()
            guard let story = try await store.story(of: id)?.within(caller.scope) else {
                throw Problem(
                    .notFound, "no message \(id) is known: never stored here, or done by all of its groups")
            }
            return JSONAnswer(MessageStoryAnswer(story, caller))
        }
    }

    /// Narrows a search to what its caller may see.
    /// - Throws: ``Problem`` with 403 where a name is none of the caller's, or where what is asked for cannot be told: a message's row does
    ///   not say which groups it is owed to.
    private static func admit(_ filter: inout MessageFilter, _ caller: Caller) throws(Problem) {
        try caller.check(topic: filter.topic)
        try caller.check(group: filter.group)
        guard caller.scope.groups == nil || filter.group != nil || filter.state == .half else {
            throw .refused(
                .scope, .forbidden,
                "\(caller.name) is for some groups alone: ask for messages owed to one of them (group), or for half messages (state=half)"
            )
        }
        filter.scope = caller.scope
    }

    static func id(_ context: AdminContext) throws(Problem) -> MessageID {
        guard let id = context.part("id").flatMap({ MessageID($0) }) else {
            throw Problem(.badRequest, "a message id has 32 hexadecimal digits")
        }
        return id
    }

    private func cursor(_ text: String?, _ order: MessageOrderName) throws(Problem) -> MessageCursor {
        guard let text else { return MessageCursor(order.order, shards: store.shardMap.shardCount) }
        guard let cursor = MessageCursor(text), cursor.order == order.order else { throw Problem.wrongCursor }
        return cursor
    }
}

enum MessageOrderName: String, CaseIterable {
    case oldest, newest

    var order: MessageCursor.Order { self == .oldest ? .oldestFirst : .newestFirst }
}

enum MessageStateName: String, CaseIterable, Encodable, Sendable {
    case half, fresh, tracked

    init(_ state: StoredMessage.State) {
        switch state {
        case .half: self = .half
        case .fresh: self = .fresh
        case .tracked: self = .tracked
        }
    }

    var state: StoredMessage.State {
        switch self {
        case .half: .half
        case .fresh: .fresh
        case .tracked: .tracked
        }
    }
}

/// What a message's row says.
struct MessageAnswer: Encodable, Sendable {
    var id: String
    var topic: String
    var messageType: String
    var publisherGroup: String
    var state: MessageStateName
    var publishedAt: Time
    var acceptedAt: Time
    var expiresAt: Time
    var deliverLimit: Int
    var shard: Int

    init(_ message: MessageSummary) {
        id = message.id.description
        topic = message.topic
        messageType = message.messageType
        publisherGroup = message.publisherGroup
        state = MessageStateName(message.state)
        publishedAt = message.publishedAt.time
        acceptedAt = message.acceptedAt.time
        expiresAt = message.expiresAt.time
        deliverLimit = message.deliverLimit
        shard = message.shard
    }
}
