import KiteQCore
import KiteQWire
import NIOCore

/// What the broker says of a publish before any store is asked.
enum PublishAdmission {
    /// Answered at once.
    case answered(PublishVerdict, feedback: String)
    /// Delivered from memory; answered at once.
    case fly(Message, Route, feedback: String)
    /// For the store. Half messages have no route yet, and count in the account where there is one.
    case stored(Message, Route?, countedBy: GroupAccount?)
    /// Its route takes long to find: to be asked about again, with the route.
    case waits
}

extension SessionServices {
    /// The same for every publish, whichever way it came. Counts what it refuses.
    ///
    /// - Parameters:
    ///   - group: the group that publishes, as it has shown to be. The header may name another one only where it may speak for it.
    ///   - peer: where it publishes from, for the log.
    ///   - quota: of the group; nil where it has no limits that a publish is held against.
    ///   - isStopping: nothing is taken any more, here or of this client.
    ///   - arrival: when it came.
    ///   - isAgain: it waited for its route, and has passed the rates.
    ///   - way: where a message of this topic and type goes, and whether the group may publish it; nil where that takes long. Asked
    ///     once at most, and of nothing that is refused anyway.
    func admit(
        _ header: MessageHeaderView, body: ByteBuffer, extra: ByteBuffer?, kind: Message.Kind, of group: String,
        from peer: Peer, _ settings: SessionSettings, _ quota: GroupQuota?, isStopping: Bool,
        arrival: Arrival, isAgain: Bool = false, way: (_ topic: String, _ messageType: String) -> RouteWay?
    ) -> PublishAdmission {
        func refuse(_ verdict: PublishVerdict, _ reason: String) -> PublishAdmission {
            publishing.counters.refused.add(1)
            topicPublishes[header.topic]?.refused.add(1)
            return .answered(verdict, feedback: reason)
        }
        func holdBack(_ excess: GroupQuota.Excess) -> PublishAdmission {
            refusals.refuse(excess.kind, peer, of: group, excess.why)
            return refuse(.tryAgain, excess.why)
        }
        let request = PublishRules.Request(header)
        let shard = request.isFly ? 0 : request.id.map(publishing.shard(of:)) ?? 0
        // A fly message is in no store: before a server was asked, this machine's time has to do.
        guard let now = arrival.time(of: shard) ?? (request.isFly ? services.clock.wall() : nil) else {
            let why = publishing.whyAway(shard) ?? "shard \(shard) of the store does not answer yet, try again later"
            return refuse(.tryAgain, "not stored, for its shard is away: \(why)")
        }
        let accepted: PublishRules.Accepted
        switch PublishRules.check(request, topics: settings.served, now: now) {
        case .refuse(let refusal): return refuse(.refused, refusal.feedback)
        case .accept(let publish): accepted = publish
        }
        guard header.propertyCount <= settings.maxProperties else {
            return refuse(.refused, "the message has more than \(settings.maxProperties) properties")
        }
        let headerBytes = header.bytes(fillingCreateTime: now / 1_000)
        let length = PacketWriter.messageLength(header: headerBytes, body: body, extra: extra)
        guard length <= PacketHeader.maximumBodyLength else {
            return refuse(.refused, "the message is too large with the createTime that it lacks")
        }
        if isStopping { return refuse(.tryAgain, "the broker is stopping, publish to another one") }
        // The group's first: what is beyond it takes nothing of what is for all.
        if !isAgain, let quota, let excess = quota.excess(of: length, now: arrival.monotonic) {
            return holdBack(excess)
        }
        if !isAgain, !takesPublish(settings) {
            return refuse(.tryAgain, "over the broker's receive rate, try again later")
        }
        func forbid(_ reason: String) -> PublishAdmission {
            publishing.counters.forbidden.add(1)
            refusals.refuse(.publish, peer, of: group, reason)
            return .answered(.refused, feedback: reason)
        }
        let route: Route
        switch way(header.topic, header.messageType) {
        case nil: return .waits
        case .route(let found): route = found
        case .unknown: return refuse(.tryAgain, "the broker has not learned its bindings yet, try again later")
        case .forbidden:
            return forbid("group \(group) may not publish to topic \(header.topic)")
        }
        if !settings.access.maySpeak(group, for: header.groupID) {
            return forbid(
                "group \(group) may not publish as group \(header.groupID): the header's group must be the connection's, or one that groups.file names in its speaks_for"
            )
        }
        if let reason = settings.bodyLimits.refusal(of: body.readableBytes, topic: header.topic, route: route) {
            return refuse(.refused, reason)
        }
        // A fly message is in no store: that it was before is not asked. What a half message's id is, only the store knows.
        if accepted.kind == .committed,
            recent.contains(
                accepted.id, topic: header.topic, messageType: header.messageType, publisherGroup: header.groupID,
                body: body, now: arrival.monotonic)
        {
            return .answered(.accepted, feedback: "stored before, and done")
        }
        if route.members.isEmpty && accepted.kind != .half {
            publishing.counters.unrouted.add(1)
            topicPublishes[header.topic]?.unrouted.add(1)
            return .answered(.accepted, feedback: "no group is bound to it")
        }
        if accepted.kind != .fly, let why = backlogs.objection(to: route) { return holdBack((.groupBacklog, why)) }
        if accepted.kind == .half, let excess = quota?.excessOfHalfMessages() { return holdBack(excess) }
        let message = Message(
            id: accepted.id, kind: kind, topic: header.topic, messageType: header.messageType,
            publisherGroup: header.groupID, expiresAt: accepted.expiresAt, deliverLimit: accepted.deliverLimit,
            publishedAt: accepted.createdAt, header: headerBytes, body: body, extra: extra)
        if accepted.kind == .fly {
            publishing.counters.fly.add(1)
            return .fly(message, route, feedback: "fly: delivered from memory, not stored")
        }
        CrashPoint.reached(.publishReceived)
        guard accepted.kind == .half else { return .stored(message, route, countedBy: nil) }
        return .stored(message, nil, countedBy: quota.flatMap { $0.countsHalfMessages ? $0.account : nil })
    }
}

extension PublishRules.Request {
    init(_ header: MessageHeaderView) {
        self.init(
            id: header.withMessageID { MessageID(utf8: $0) }, topic: header.topic,
            messageType: header.messageType, group: header.groupID,
            expiredTime: header.expiredTime, deliverLimit: header.deliverLimit, isCommitted: header.commit,
            isFly: header.fly, createTime: header.createTime ?? 0)
    }
}
