import KiteQCore
import KiteQWire
import NIOCore

/// What each packet means (protocol.md). What these throw ends the connection.
extension ConnectionHandler {
    func handle(_ packet: Packet) throws {
        switch state {
        case .greeting: try greet(packet)
        case .judging: hold(packet)
        case .open(let connection, _): try handle(packet, of: connection)
        case .closed: break
        }
    }

    private func handle(_ packet: Packet, of connection: Connection) throws {
        switch packet.header.command {
        case .bytesMessage, .stringMessage: try publish(packet, of: connection)
        case .deliverAck:
            CrashPoint.reached(.deliveryAcknowledged)
            let ack = try DeliverAck(decoding: packet.body)
            acknowledgements.append(
                .init(
                    opaque: UInt32(bitPattern: packet.header.opaque), isSuccess: ack.status,
                    feedback: ack.status ? nil : String(ack.feedback.prefix(255))))
        case .txAck: try answerTransaction(packet, of: connection)
        case .heartbeat:
            // Echoed as it came, once it is known to be one.
            _ = try HeartBeat(decoding: packet.body)
            try PacketWriter.writePacket(
                into: &outbound, framing: framing, opaque: packet.header.opaque, command: .heartbeat,
                version: packet.header.version, extension: packet.header.extension, body: packet.body)
        case .connMeta: try greetAgain(packet, of: connection)
        default:
            throw SessionError("command \(packet.header.command) is not a client's to send")
        }
    }

    // MARK: Transactions

    private func answerTransaction(_ packet: Packet, of connection: Connection) throws {
        let answer = try TransactionAck(decoding: packet.body)
        let header = try MessageHeaderView(decoding: answer.header)
        guard let id = MessageID(header.messageID) else {
            throw SessionError("TX_ACK for an id that is not 32 hexadecimal digits")
        }
        CrashPoint.reached(.decisionReceived)
        switch answer.status {
        case TransactionAck.Status.commit:
            services.transactions.submit(id, .commit, from: connection.group, peer: connection.peer)
        case TransactionAck.Status.rollBack:
            services.transactions.submit(id, .rollBack, from: connection.group, peer: connection.peer)
        case TransactionAck.Status.unknown: break  // The producer cannot tell: it is asked again.
        default: throw SessionError("TX_ACK with status \(answer.status)")
        }
    }

    // MARK: Publishing

    private func publish(_ packet: Packet, of connection: Connection) throws {
        let parts = try MessageBody.split(packet.body)
        let header = try MessageHeaderView(decoding: parts.header)
        connection.markPublished(half: !header.commit)
        func refuse(_ reason: String) {
            services.publishing.counters.refused.add(1)
            answer(packet, header, false, reason)
        }
        let accepted: PublishRules.Accepted
        let request = PublishRules.Request(header)
        switch PublishRules.check(request, topics: settings.served, now: arrival.wall) {
        case .refuse(let refusal): return refuse(refusal.feedback)
        case .accept(let publish): accepted = publish
        }
        guard header.propertyCount <= settings.maxProperties else {
            return refuse("the message has more than \(settings.maxProperties) properties")
        }
        let headerBytes = header.bytes(fillingCreateTime: arrival.wall / 1_000)
        let length = PacketWriter.messageLength(header: headerBytes, body: parts.body, extra: parts.extra)
        guard length <= PacketHeader.maximumBodyLength else {
            return refuse("the message is too large with the createTime that it lacks")
        }
        if refusesPublishes { return refuse("the broker is stopping, publish to another one") }
        if !services.takesPublish(settings) { return refuse("over the broker's receive rate, try again later") }
        let way = recentRoute.way(topic: header.topic, messageType: header.messageType, in: services.routing) {
            settings.access.mayPublish(connection.group, to: header.topic)
        }
        let route: Route
        switch way {
        case .route(let found): route = found
        case .unknown: return refuse("the broker has not learned its bindings yet, try again later")
        case .forbidden:
            services.publishing.counters.forbidden.add(1)
            let reason = "group \(connection.group) may not publish to topic \(header.topic)"
            services.refusals.refuse(.publish, peer, reason)
            return answer(packet, header, false, reason)
        }
        if services.recent.contains(accepted.id) { return answer(packet, header, true, "stored before, and done") }
        if route.members.isEmpty && accepted.kind != .half {
            services.publishing.counters.unrouted.add(1)
            return answer(packet, header, true, "no group is bound to it")
        }
        let message = Message(
            id: accepted.id, kind: packet.header.command == .bytesMessage ? .bytes : .string, topic: header.topic,
            messageType: header.messageType, publisherGroup: header.groupID, expiresAt: accepted.expiresAt,
            deliverLimit: accepted.deliverLimit, publishedAt: accepted.createdAt,
            header: headerBytes, body: parts.body, extra: parts.extra)
        if accepted.kind == .fly {
            services.publishing.counters.fly.add(1)
            fly.append((message, route))
            return answer(packet, header, true, "fly: delivered from memory, not stored")
        }
        CrashPoint.reached(.publishReceived)
        unacknowledgedBytes += message.footprint
        publishes.append(
            PendingPublish(
                AcceptedPublish(
                    connection: connection, opaque: packet.header.opaque, version: packet.header.version,
                    extensionField: packet.header.extension, message: message, messageIDRange: header.messageIDRange,
                    route: accepted.kind == .half ? nil : route, arrivedAt: arrival.monotonic)))
    }

    /// Answers a publish at once.
    private func answer(_ packet: Packet, _ header: MessageHeaderView, _ status: Bool, _ feedback: String) {
        PacketWriter.writeStoreAck(
            into: &outbound, framing: framing, opaque: packet.header.opaque, version: packet.header.version,
            extension: packet.header.extension, messageID: header.messageIDBytes, status: status, feedback: feedback)
    }
}

extension PublishRules.Request {
    fileprivate init(_ header: MessageHeaderView) {
        self.init(
            id: header.messageIDBytes.withUnsafeBytes { MessageID(utf8: $0) }, topic: header.topic,
            messageType: header.messageType, group: header.groupID,
            expiredTime: header.expiredTime, deliverLimit: header.deliverLimit, isCommitted: header.commit,
            isFly: header.fly, createTime: header.createTime ?? 0)
    }
}
