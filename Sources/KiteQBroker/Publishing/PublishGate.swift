import KiteQCore
import KiteQWire
import NIOCore

/// A publish as it came, and what is known of who made it.
struct PublishAttempt {
    let header: MessageHeaderView
    let body: ByteBuffer
    var extra: ByteBuffer?
    let kind: Message.Kind
    /// The group that publishes, as it has shown to be. The header may name another one only where it may speak for it.
    let group: String
    /// Where it publishes from, for the log.
    let peer: Peer
    let settings: SessionSettings
    /// Of the group; nil where it has no limits that a publish is held against.
    let quota: GroupQuota?
    /// Nothing is taken any more, here or of this client.
    let isStopping: Bool
    /// When it came.
    let arrival: Arrival
    /// It waited for its route, and has passed the rates.
    var isAgain = false
}

/// What every publish goes through, whichever way it came, before any store is asked.
struct PublishGate: Sendable {
    let publishing: PublishPipeline
    let topics: TopicPublishes
    let refusals: Refusals
    let recent: RecentMessages
    let backlogs: Backlogs
    let receiveLimit: ReceiveLimit
    let clock: any ProcessClock

    /// What the broker says of it. Counts what it refuses.
    ///
    /// - Parameter way: where a message of this topic and type goes, and whether the group may publish it; nil where that takes
    ///   long. Asked once at most, and of nothing that is refused anyway.
    func admit(
        _ publish: PublishAttempt, way: (_ topic: String, _ messageType: String) -> RouteWay?
    ) -> PublishAdmission {
        func refuse(_ verdict: PublishVerdict, _ reason: String) -> PublishAdmission {
            publishing.counters.refused.add(1)
            topics[publish.header.topic]?.refused.add(1)
            return .answered(verdict, feedback: reason)
        }
        func holdBack(_ excess: GroupQuota.Excess) -> PublishAdmission {
            refusals.refuse(excess.kind, publish.peer, of: publish.group, excess.why)
            return refuse(.tryAgain, excess.why)
        }
        let (header, settings) = (publish.header, publish.settings)
        let request = PublishRules.Request(header, bodyBytes: publish.body.readableBytes)
        let shard = request.isFly ? 0 : request.id.map(publishing.shard(of:)) ?? 0
        // A fly message is in no store: before a server was asked, this machine's time has to do.
        guard let now = publish.arrival.time(of: shard) ?? (request.isFly ? clock.wall() : nil) else {
            let why = publishing.whyAway(shard) ?? "shard \(shard) of the store does not answer yet, try again later"
            return refuse(.tryAgain, "not stored, for its shard is away: \(why)")
        }
        let accepted: PublishRules.Accepted
        switch PublishRules.check(request, topics: settings.served, now: now) {
        case .refuse(let refusal): return refuse(.refused, refusal.feedback)
        case .accept(let found): accepted = found
        }
        guard header.propertyCount <= settings.maxProperties else {
            return refuse(.refused, "the message has more than \(settings.maxProperties) properties")
        }
        let headerBytes = header.bytes(fillingCreateTime: now / 1_000)
        let length = PacketWriter.messageLength(header: headerBytes, body: publish.body, extra: publish.extra)
        guard length <= PacketHeader.maximumBodyLength else {
            return refuse(.refused, "the message is too large with the createTime that it lacks")
        }
        if publish.isStopping { return refuse(.tryAgain, "the broker is stopping, publish to another one") }
        // The group's first: what is beyond it takes nothing of what is for all.
        if !publish.isAgain, let quota = publish.quota,
            let excess = quota.excess(of: length, now: publish.arrival.monotonic)
        {
            return holdBack(excess)
        }
        if !publish.isAgain, !receiveLimit.takesPublish(settings, now: publish.arrival.monotonic) {
            return refuse(.tryAgain, "over the broker's receive rate, try again later")
        }
        func forbid(_ reason: String) -> PublishAdmission {
            publishing.counters.forbidden.add(1)
            refusals.refuse(.publish, publish.peer, of: publish.group, reason)
            return .answered(.refused, feedback: reason)
        }
        let route: Route
        switch way(header.topic, header.messageType) {
        case nil: return .waits
        case .route(let found): route = found
        case .unknown: return refuse(.tryAgain, "the broker has not learned its bindings yet, try again later")
        case .forbidden:
            return forbid("group \(publish.group) may not publish to topic \(header.topic)")
        }
        if !settings.access.maySpeak(publish.group, for: header.groupID) {
            return forbid(
                "group \(publish.group) may not publish as group \(header.groupID): the header's group must be the connection's, or one that groups.file names in its speaks_for"
            )
        }
        if let reason = settings.bodyLimits.refusal(of: publish.body.readableBytes, route: route) {
            return refuse(.refused, reason)
        }
        // A fly message is in no store: that it was before is not asked. What a half message's id is, only the store knows.
        if accepted.kind == .committed,
            recent.contains(
                accepted.id, topic: header.topic, messageType: header.messageType, publisherGroup: header.groupID,
                body: publish.body, now: publish.arrival.monotonic)
        {
            return .answered(.accepted, feedback: "stored before, and done")
        }
        if route.members.isEmpty && accepted.kind != .half {
            publishing.counters.unrouted.add(1)
            topics[header.topic]?.unrouted.add(1)
            return .answered(.accepted, feedback: "no group is bound to it")
        }
        if accepted.kind != .fly, let why = backlogs.objection(to: route) { return holdBack((.groupBacklog, why)) }
        if accepted.kind == .half, let excess = publish.quota?.excessOfHalfMessages() { return holdBack(excess) }
        let message = Message(
            id: accepted.id, kind: publish.kind, topic: header.topic, messageType: header.messageType,
            publisherGroup: header.groupID, expiresAt: accepted.expiresAt, deliverLimit: accepted.deliverLimit,
            publishedAt: accepted.createdAt, header: headerBytes, body: publish.body, extra: publish.extra)
        if accepted.kind == .fly {
            publishing.counters.fly.add(1)
            return .fly(message, route, feedback: "fly: delivered from memory, not stored")
        }
        CrashPoint.reached(.publishReceived)
        guard accepted.kind == .half else { return .stored(message, route, countedBy: nil) }
        return .stored(message, nil, countedBy: publish.quota.flatMap { $0.countsHalfMessages ? $0.account : nil })
    }
}

extension PublishRules.Request {
    init(_ header: MessageHeaderView, bodyBytes: Int) {
        self.init(
            id: header.withMessageID { MessageID(utf8: $0) }, topic: header.topic,
            messageType: header.messageType, group: header.groupID,
            expiredTime: header.expiredTime, deliverLimit: header.deliverLimit, isCommitted: header.commit,
            isFly: header.fly, createTime: header.createTime ?? 0,
            bodyBytes: bodyBytes)
    }
}
