extension API {
    package static func overview() -> Request<Overview> { get("/overview") }
    package static func brokers() -> Request<BrokerList> { get("/brokers") }
    package static func shards() -> Request<ShardList> { get("/shards") }

    /// - Parameter search: a part of the name; nil: all.
    package static func topics(search: String? = nil) -> Request<TopicList> {
        get("/topics", [.init("search", search)])
    }

    /// - Parameter search: a part of the name; nil: all.
    package static func groups(search: String? = nil) -> Listing<Group> {
        Listing(path: "/groups", query: [.init("search", search)])
    }

    package static func group(_ name: String) -> Request<Group> { get("/groups/\(encoded(name))") }

    package static func pause(group: String, reason: String) throws(AdminClientError) -> Request<Done> {
        try post("/groups/\(encoded(group))/pause", Reason(reason: reason))
    }

    package static func resume(group: String, reason: String?) throws(AdminClientError) -> Request<Done> {
        try post("/groups/\(encoded(group))/resume", Reason(reason: reason))
    }

    /// - Parameter topics: empty: all that the broker knows it to be bound to.
    package static func unbind(
        group: String, topics: [String], reason: String
    ) throws(AdminClientError) -> Request<Done> {
        try post("/groups/\(encoded(group))/unbind", Unbinding(reason: reason, topics: topics.isEmpty ? nil : topics))
    }

    package static func messages(_ filter: MessageFilter) -> Listing<Message> {
        Listing(
            path: "/messages",
            query: [
                .init("topic", filter.topic), .init("type", filter.type), .init("group", filter.group),
                .init("state", filter.state), .init("from", filter.from), .init("before", filter.before),
                .init("order", filter.isNewestFirst ? "newest" : nil),
            ])
    }

    /// - Parameter id: 32 lower-case hexadecimal digits.
    package static func message(_ id: String) -> Request<MessageStory> { get("/messages/\(encoded(id))") }

    package static func transactions() -> Listing<Transaction> { Listing(path: "/transactions", query: []) }

    package static func commit(transaction id: String, reason: String) throws(AdminClientError) -> Request<Done> {
        try post("/transactions/\(encoded(id))/commit", Reason(reason: reason))
    }

    package static func rollBack(transaction id: String, reason: String) throws(AdminClientError) -> Request<Done> {
        try post("/transactions/\(encoded(id))/rollback", Reason(reason: reason))
    }

    package static func deadLetters(_ filter: DeadLetterFilter) -> Listing<DeadLetter> {
        Listing(
            path: "/dead-letters",
            query: [
                .init("topic", filter.topic), .init("group", filter.group), .init("reason", filter.reason),
                .init("from", filter.from), .init("before", filter.before),
            ])
    }

    /// - Parameter letter: `SHARD:ID`.
    package static func deadLetter(_ letter: String) -> Request<DeadLetterDetail> {
        get("/dead-letters/\(encoded(letter))")
    }

    package static func countDeadLetters(_ filter: DeadLetterFilter) throws(AdminClientError) -> Request<Count> {
        try post("/dead-letters/count", filter)
    }

    package static func requeueDeadLetters(
        _ selection: DeadLetterSelection, reason: String?
    ) throws(AdminClientError) -> Request<DeadLetterResult> {
        try post("/dead-letters/requeue", DeadLetterAct(selection: selection, reason: reason))
    }

    package static func deleteDeadLetters(
        _ selection: DeadLetterSelection, reason: String?
    ) throws(AdminClientError) -> Request<DeadLetterResult> {
        try post("/dead-letters/delete", DeadLetterAct(selection: selection, reason: reason))
    }

    package static func audit() -> Listing<AuditEntry> { Listing(path: "/audit", query: []) }

    package static func drain(reason: String) throws(AdminClientError) -> Request<Done> {
        try post("/broker/drain", Reason(reason: reason))
    }

    package static func reload(reason: String?) throws(AdminClientError) -> Request<ReloadReport> {
        try post("/broker/reload", Reason(reason: reason))
    }
}
