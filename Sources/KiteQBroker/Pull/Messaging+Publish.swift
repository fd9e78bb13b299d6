import KiteQCore
import KiteQWire
import NIOCore

extension Messaging {
    /// Publishes committed messages, each for itself: some may be taken and others not. Returns an outcome for each, in their
    /// order, once all are known: within the time that a publish may wait for the store. The call is not
    /// cut short where the task is cancelled: what the store is asked to keep, it keeps.
    package func publish(_ messages: [NewMessage], group: String) async -> [PublishOutcome] {
        let call = PublishCall(group: group, count: messages.count)
        await findRoutes(of: messages, group)
        let arrival = services.clocks.arrival()
        let settings = services.settings
        let publisher = Publisher(
            group: group, peer: .caller, settings: settings, quota: services.quota(of: group, settings))
        var stored: [PendingPublish] = []
        var fly: [(message: Message, route: Route)] = []
        for (index, message) in messages.enumerated() {
            let id = message.id ?? MessageID.random().description
            func answer(_ verdict: PublishVerdict, _ feedback: String) {
                call.answer(index, PublishOutcome(messageID: id, verdict: verdict, feedback: feedback))
            }
            let header: MessageHeaderView
            do {
                header = try message.header(id: id, group: group, expiresAt: expiry(of: message, id: id, arrival))
            } catch {
                answer(.refused, "\(error)")
                continue
            }
            let (body, kind) = message.body.bytes
            let content = MessageBody(header: header.bytes, body: body)
            let attempt = PublishAttempt(
                kind: kind, publisher: publisher, isStopping: services.isDraining, arrival: arrival)
            let checked: CheckedPublish
            switch services.gate.check(header, content, attempt) {
            case .answered(let verdict, let feedback):
                answer(verdict, feedback)
                continue
            case .passed(let some): checked = some
            }
            guard let way = way(of: header, publisher) else {
                answer(.tryAgain, "the bindings of the topic are changing, try again")
                continue
            }
            switch services.gate.admit(checked, header, content, attempt, way: way) {
            case .answered(let verdict, let feedback): answer(verdict, feedback)
            case .fly(let message, let route, let feedback):
                fly.append((message, route))
                answer(.accepted, feedback)
            case .stored(let message, let route, let countedBy):
                stored.append(
                    PendingPublish(
                        AcceptedPublish(
                            origin: call, opaque: Int32(index), version: 0, extensionField: 0, message: message,
                            messageIDRange: header.messageIDRange, route: route, countedBy: countedBy,
                            arrivedAt: arrival.monotonic)))
            }
        }
        services.dispatcher.acceptFly(fly)
        if !stored.isEmpty { services.publishing.submit(stored) }
        return await call.outcomes()
    }

    /// Nil where it takes long to find out.
    private func way(of header: MessageHeaderView, _ publisher: Publisher) -> RouteWay? {
        guard publisher.mayPublish(to: header.topic) else { return .forbidden }
        switch services.routing.find(topic: header.topic, messageType: header.messageType) {
        case .route(let route): return .route(route)
        case .unknown: return .unknown
        case .dear: return nil
        }
    }

    /// Before their time begins: what it takes to find routes is no wait for the store. Of what is refused anyway none is sought.
    private func findRoutes(of messages: [NewMessage], _ group: String) async {
        let settings = services.settings
        for message in messages where settings.access.mayPublish(group, to: message.topic) {
            guard settings.served.contains(message.topic),
                message.messageType.utf8.count <= Binding.maximumNameLength
            else { continue }
            _ = await services.routes.route(topic: message.topic, messageType: message.messageType, for: group)
        }
    }

    /// Unix seconds by the server that is to store it, which it is compared with; 0 where it names no time to live.
    private func expiry(of message: NewMessage, id: String, _ arrival: Arrival) -> Int64 {
        guard let life = message.timeToLive else { return 0 }
        let shard = message.isFly ? 0 : MessageID(id).map(services.publishing.shard(of:)) ?? 0
        return (arrival.time(of: shard) ?? services.clock.wall()) / 1_000 + life
    }
}

extension NewMessage {
    /// As a client would write it, and read as one from a client is.
    fileprivate func header(id: String, group: String, expiresAt: Int64) throws(WireError) -> MessageHeaderView {
        var header = ProtoHeader()
        header.messageID = id
        header.topic = topic
        header.messageType = messageType
        header.expiredTime = expiresAt
        header.deliverLimit = Int32(clamping: deliverLimit)
        header.groupID = group
        header.commit = true
        header.fly = isFly
        header.properties = properties.map { property in
            var entry = ProtoEntry()
            entry.key = property.key
            entry.value = property.value
            return entry
        }
        return try MessageHeaderView(decoding: header.serializedBuffer())
    }
}

extension NewMessage.Body {
    fileprivate var bytes: (ByteBuffer, Message.Kind) {
        switch self {
        case .text(let text): (ByteBuffer(string: text), .string)
        case .bytes(let bytes): (bytes, .bytes)
        }
    }
}
