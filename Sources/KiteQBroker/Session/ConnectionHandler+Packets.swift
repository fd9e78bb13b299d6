import KiteQCore
import KiteQWire
import NIOCore

/// What each packet means (docs/protocol.md). What these throw ends the connection.
extension ConnectionHandler {
    func handle(_ packet: Packet) throws {
        switch machine.received(packet) {
        case .greet: try greet(packet)
        case .handle(let client): try handle(packet, of: client.connection)
        case .tooMuch: reject(.handshake, "it sends before it is let in", Answer(packet.header))
        case .held, .ignored: break
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
        case .deliverExtend where connection.mayExtend:
            let limit = max(DeliverExtend.maximumCount, services.configuration.delivery.window)
            let extend = try DeliverExtend(decoding: packet.body, limit: limit)
            for opaque in extend.opaques { extensions.append(opaque) }
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
        connection.markAnswered(couldTell: answer.status != TransactionAck.Status.unknown)
        CrashPoint.reached(.decisionReceived)
        func submit(_ decision: TransactionDecision.Answer) {
            services.transactions.submit(
                id, decision, from: connection.group, trustsHeader: !settings.access.provesGroups,
                peer: connection.peer, arrivedAt: arrival.monotonic)
        }
        switch answer.status {
        case TransactionAck.Status.commit: submit(.commit)
        case TransactionAck.Status.rollBack: submit(.rollBack)
        case TransactionAck.Status.unknown: break  // The producer cannot tell: it is asked again.
        default: throw SessionError("TX_ACK with status \(answer.status)")
        }
    }

    // MARK: Publishing

    /// - Parameter found: the route that it waited for; nil in it where there is none.
    func publish(_ packet: Packet, of connection: Connection, found: Route?? = nil) throws {
        let parts = try MessageBody.split(packet.body)
        let header = try MessageHeaderView(decoding: parts.header)
        if found == nil {
            if connection.markPublished(half: !header.commit) { services.dispatcher.markPublisher(connection.clientID) }
            publishCount += 1
        }
        let publisher = publisher(connection)
        let attempt = PublishAttempt(
            kind: packet.header.command == .bytesMessage ? .bytes : .string, publisher: publisher,
            isStopping: refusesPublishes, arrival: arrival, isAgain: found != nil)
        let checked: CheckedPublish
        switch services.gate.check(header, parts, attempt) {
        case .answered(let verdict, let feedback):
            return answer(packet, header, verdict == .accepted, feedback)
        case .passed(let some): checked = some
        }
        guard let way = way(of: header, publisher, found) else {
            return waitForRoute(of: packet, topic: header.topic, messageType: header.messageType, connection)
        }
        switch services.gate.admit(checked, header, parts, attempt, way: way) {
        case .answered(let verdict, let feedback):
            answer(packet, header, verdict == .accepted, feedback)
        case .fly(let message, let route, let feedback):
            fly.append((message, route))
            answer(packet, header, true, feedback)
        case .stored(let message, let route, let countedBy):
            unacknowledgedBytes += message.footprint
            publishes.append(
                PendingPublish(
                    AcceptedPublish(
                        origin: connection, opaque: packet.header.opaque, version: packet.header.version,
                        extensionField: packet.header.extension, message: message,
                        messageIDRange: header.messageIDRange, route: route, countedBy: countedBy,
                        arrivedAt: arrival.monotonic)))
        }
    }

    /// Nil where it takes long to find out.
    private func way(of header: MessageHeaderView, _ publisher: Publisher, _ found: Route??) -> RouteWay? {
        guard let found else {
            return recentRoute.way(topic: header.topic, messageType: header.messageType, in: services.routing) {
                publisher.mayPublish(to: header.topic)
            }
        }
        guard publisher.mayPublish(to: header.topic) else { return .forbidden }
        return found.map { .route($0) } ?? .unknown
    }

    /// As it is until a reload.
    private func publisher(_ connection: Connection) -> Publisher {
        if let knownPublisher { return knownPublisher }
        let publisher = Publisher(
            group: connection.group, peer: peer, settings: settings,
            quota: services.quota(of: connection.group, settings))
        knownPublisher = publisher
        return publisher
    }

    /// Answers a publish at once.
    private func answer(_ packet: Packet, _ header: MessageHeaderView, _ status: Bool, _ feedback: String) {
        header.withMessageID { id in
            PacketWriter.writeStoreAck(
                into: &outbound, framing: framing, opaque: packet.header.opaque, version: packet.header.version,
                extension: packet.header.extension, idBytes: id, status: status,
                // Of one that is taken it quotes nothing.
                feedback: status ? feedback : VisibleText.escaped(feedback))
        }
    }
}
