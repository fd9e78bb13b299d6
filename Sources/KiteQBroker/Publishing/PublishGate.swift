import KiteQCore
import KiteQWire
import NIOCore

/// How a publish came, beside its header and what it carries.
struct PublishAttempt {
    let kind: Message.Kind
    let publisher: Publisher
    /// Nothing is taken any more, here or of this client.
    let isStopping: Bool
    /// When it came.
    let arrival: Arrival
    /// It waited for its route, and has passed the rates.
    var isAgain = false
}

/// A publish that keeps the rules and the rates.
struct CheckedPublish {
    let accepted: PublishRules.Accepted
    /// With the createTime that it may have lacked.
    let header: ByteBuffer
}

/// What every publish goes through, whichever way it came, before any store is asked.
final class PublishGate: Sendable {
    private let publishing: PublishPipeline
    private let topics: TopicPublishes
    private let refusals: Refusals
    private let recent: RecentMessages
    private let backlogs: Backlogs
    private let receiveLimit: ReceiveLimit
    private let clock: any ProcessClock

    init(
        publishing: PublishPipeline, topics: TopicPublishes, refusals: Refusals, recent: RecentMessages,
        backlogs: Backlogs, receiveLimit: ReceiveLimit, clock: any ProcessClock
    ) {
        self.publishing = publishing
        self.topics = topics
        self.refusals = refusals
        self.recent = recent
        self.backlogs = backlogs
        self.receiveLimit = receiveLimit
        self.clock = clock
    }

    /// What can be said of it before it is known where it goes. Counts what it refuses.
    func check(_ header: MessageHeaderView, _ content: MessageBody, _ attempt: PublishAttempt) -> PublishCheck {
        let publisher = attempt.publisher
        let settings = publisher.settings
        func refuse(_ verdict: PublishVerdict, _ reason: String) -> PublishCheck {
            .answered(verdict, feedback: refused(header, reason))
        }
        let request = PublishRules.Request(header)
        let shard = request.isFly ? 0 : request.id.map(publishing.shard(of:)) ?? 0
        // A fly message is in no store: before a server was asked, this machine's time has to do.
        guard let now = attempt.arrival.time(of: shard) ?? (request.isFly ? clock.wall() : nil) else {
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
        let length = PacketWriter.messageLength(header: headerBytes, body: content.body, extra: content.extra)
        guard length <= PacketHeader.maximumBodyLength else {
            return refuse(.refused, "the message is too large with the createTime that it lacks")
        }
        if attempt.isStopping { return refuse(.tryAgain, "the broker is stopping, publish to another one") }
        if !attempt.isAgain {
            // The group's first: what is beyond it takes nothing of what is for all.
            if let excess = publisher.quota?.excess(of: length, now: attempt.arrival.monotonic) {
                return .answered(.tryAgain, feedback: heldBack(publisher, header, excess))
            }
            if !receiveLimit.takesPublish(settings, now: attempt.arrival.monotonic) {
                return refuse(.tryAgain, "over the broker's receive rate, try again later")
            }
        }
        return .passed(CheckedPublish(accepted: accepted, header: headerBytes))
    }

    /// What becomes of it. Counts what it refuses.
    ///
    /// - Parameter way: where messages of this topic and type go, and whether the group may publish them.
    func admit(
        _ checked: CheckedPublish, _ header: MessageHeaderView, _ content: MessageBody, _ attempt: PublishAttempt,
        way: RouteWay
    ) -> PublishAdmission {
        let (accepted, publisher) = (checked.accepted, attempt.publisher)
        func refuse(_ verdict: PublishVerdict, _ reason: String) -> PublishAdmission {
            .answered(verdict, feedback: refused(header, reason))
        }
        let route: Route
        switch way {
        case .route(let found): route = found
        case .unknown: return refuse(.tryAgain, "the broker has not learned its bindings yet, try again later")
        case .forbidden:
            return forbidden(publisher, "group \(publisher.group) may not publish to topic \(header.topic)")
        }
        if !publisher.settings.access.maySpeak(publisher.group, for: header.groupID) {
            return forbidden(
                publisher,
                "group \(publisher.group) may not publish as group \(header.groupID): the header's group must be the connection's, or one that groups.file names in its speaks_for"
            )
        }
        let bytes = content.body.readableBytes
        if let reason = accepted.bounds.refusal(ofBody: bytes, topic: header.topic)
            ?? publisher.settings.bodyLimits.refusal(of: bytes, route: route)
        {
            return refuse(.refused, reason)
        }
        // A fly message is in no store: that it was before is not asked. What a half message's id is, only the store knows.
        if accepted.kind == .committed,
            recent.contains(
                accepted.id, topic: header.topic, messageType: header.messageType, publisherGroup: header.groupID,
                body: content.body, now: attempt.arrival.monotonic)
        {
            return .answered(.accepted, feedback: "stored before, and done")
        }
        if route.members.isEmpty && accepted.kind != .half {
            publishing.counters.unrouted.add(1)
            topics[header.topic]?.unrouted.add(1)
            return .answered(.accepted, feedback: "no group is bound to it")
        }
        if accepted.kind != .fly, let why = backlogs.objection(to: route) {
            return .answered(.tryAgain, feedback: heldBack(publisher, header, (.groupBacklog, why)))
        }
        if accepted.kind == .half, let excess = publisher.quota?.excessOfHalfMessages() {
            return .answered(.tryAgain, feedback: heldBack(publisher, header, excess))
        }
        let message = Message(
            id: accepted.id, kind: attempt.kind, topic: header.topic, messageType: header.messageType,
            publisherGroup: header.groupID, expiresAt: accepted.expiresAt, deliverLimit: accepted.deliverLimit,
            publishedAt: accepted.createdAt, header: checked.header, body: content.body, extra: content.extra)
        if accepted.kind == .fly {
            publishing.counters.fly.add(1)
            return .fly(message, route, feedback: "fly: delivered from memory, not stored")
        }
        CrashPoint.reached(.publishReceived)
        guard accepted.kind == .half else { return .stored(message, route, countedBy: nil) }
        return .stored(message, nil, countedBy: publisher.quota.flatMap { $0.countsHalfMessages ? $0.account : nil })
    }

    // MARK: Refusals: each returns what is said

    private func refused(_ header: MessageHeaderView, _ reason: String) -> String {
        publishing.counters.refused.add(1)
        topics[header.topic]?.refused.add(1)
        return reason
    }

    private func heldBack(_ publisher: Publisher, _ header: MessageHeaderView, _ excess: GroupQuota.Excess) -> String {
        refusals.refuse(excess.kind, publisher.peer, of: publisher.group, excess.why)
        return refused(header, excess.why)
    }

    private func forbidden(_ publisher: Publisher, _ reason: String) -> PublishAdmission {
        publishing.counters.forbidden.add(1)
        refusals.refuse(.publish, publisher.peer, of: publisher.group, reason)
        return .answered(.refused, feedback: reason)
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
