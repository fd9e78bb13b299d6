import KiteQCore
import KiteQWire
import Logging
import NIOCore
import NIOSSL

/// The handshake: who the client is, and whether it is let in.
///
/// What that takes long is done elsewhere: the socket is not read meanwhile, and what came with the greeting waits.
extension ConnectionHandler {
    /// What a greeting is answered with.
    struct Answer: Sendable {
        let opaque: Int32
        let version: Int16
        let extensionField: Int64

        init(_ header: PacketHeader) {
            (opaque, version, extensionField) = (header.opaque, header.version, header.extension)
        }
    }

    func greet(_ packet: Packet) throws {
        let answer = Answer(packet.header)
        guard packet.header.command == .connMeta else {
            return reject(.handshake, "the first packet is not CONN_META but \(packet.header.command)", answer)
        }
        let meta = try ConnMeta(decoding: packet.body)
        if meta.groupID.isEmpty { return reject(.handshake, "CONN_META names no group", answer) }
        if meta.groupID.utf8.count > 255 {
            return reject(.handshake, "the group's name has more than 255 bytes", answer)
        }
        let (isEncrypted, certificate) = try certificate()
        if let certificate, settings.tls?.revokes(certificate) == true {
            return reject(.tls, "the client's certificate is revoked", answer)
        }
        judge(meta, certificate?.names) { verdict in
            if let by = self.taken(verdict, meta, answer) {
                self.enter(meta, Admission(by: by, isEncrypted: isEncrypted, certificate: certificate), answer)
            }
        }
    }

    /// The Go client repeats its CONN_META when the answer is late.
    func greetAgain(_ packet: Packet, of connection: Connection) throws {
        let (answer, meta) = (Answer(packet.header), try ConnMeta(decoding: packet.body))
        guard meta.groupID.utf8.elementsEqual(connection.group.utf8) else {
            return reject(.credentials, "this connection is of group \(connection.group) already", answer)
        }
        guard machine.greetsAgain() else {
            return reject(.handshake, "it repeats CONN_META before the one before it is answered", answer)
        }
        judge(meta, connection.admission.certificate?.names) { verdict in
            self.machine.judgedAgain()
            if self.taken(verdict, meta, answer) != nil { self.welcome(answer, meta) }
        }
    }

    // MARK: The verdict

    /// Calls `then` with the verdict, at once or later; never after the connection has ended.
    private func judge(
        _ meta: ConnMeta, _ names: [String]?, then: @escaping (Gatekeeper.Verdict) -> Void
    ) {
        guard let context else { return }
        let visitor = Gatekeeper.Visitor(
            group: BindingName(meta.groupID), secret: meta.secretKey, certificate: names ?? [], address: peer.address,
            isWaiting: { [channel = context.channel] in channel.isActive })
        let bound = NIOLoopBound((self, then), eventLoop: context.eventLoop)
        let verdict = services.gatekeeper.judge(
            visitor, by: settings.access,
            later: { [eventLoop = context.eventLoop] verdict in
                eventLoop.execute {
                    let (handler, then) = bound.value
                    handler.resume { then(verdict) }
                }
            })
        if let verdict { return then(verdict) }
        machine.judge()
        updatePause()
    }

    /// What lets it in; where nothing does, it is told so and sent away. It hears the same whatever is wrong; the log says more.
    private func taken(
        _ verdict: Gatekeeper.Verdict, _ meta: ConnMeta, _ answer: Answer
    ) -> AccessRules.Admittance? {
        switch verdict {
        case .admitted(let by): return by
        // It waits for a pause to end, and is not told of it.
        case .busy, .paused:
            reject(.busy, "too many clients are waiting to be let in, try again later", answer)
        case .refused:
            let known = settings.access.groups[BindingName(meta.groupID)]
            let why =
                known == nil
                ? "the group \(meta.groupID) is unknown"
                : "the secret\(known?.certificate == nil ? "" : ", or the certificate,") of group \(meta.groupID) is wrong"
            reject(
                .credentials,
                "group \(meta.groupID) is not let in: it is not known here, or its secret or certificate is wrong",
                answer, log: why)
        }
        return nil
    }

    private func enter(_ meta: ConnMeta, _ admission: Admission, _ answer: Answer) {
        guard let context, !refusesPublishes else { return close() }
        let connection = Connection(
            id: services.makeID(), group: meta.groupID, admission: admission, peer: peer.description,
            version: answer.version, extensionField: answer.extensionField, capabilities: meta.capabilities,
            eventLoop: context.eventLoop, handler: self, outbound: services.dispatcher.outbound,
            clock: services.clock)
        guard services.connections.insert(connection, atMost: settings.access.limits(of: meta.groupID).connections)
        else {
            let most = settings.access.limits(of: meta.groupID).connections
            return reject(
                .groupConnections,
                "try again later: group \(meta.groupID) has \(most) connections or more at this broker (max_connections)",
                answer)
        }
        if let why = services.admissions.letIn(place, settings) {
            services.connections.remove(connection)
            return reject(.tooMany, why, answer)
        }
        welcome(answer, meta)
        readMore(context)
        if connection.consumes {
            // Deliveries that follow at once are written behind the CONN_AUTH: this read's answers leave first, in order.
            let client = services.dispatcher.connect(
                connection, group: meta.groupID, warmUpSeconds: Int(meta.warmingUpSeconds),
                window: meta.window == 0 ? nil : Int(meta.window),
                onConnect: { self.machine.open(Client(connection: connection, deliveries: $0)) })
            if framing == .lengthPrefixed { services.dispatcher.doubt(client) }
            if !context.channel.isWritable { services.dispatcher.setWritable(client, false) }
        } else {
            // Its group is not here by it: what is for the group goes to a client that takes it, or waits for one.
            machine.open(Client(connection: connection, deliveries: nil))
        }
        watchIdle()
        // A reload that came meanwhile has not seen this connection.
        refreshSettings()
        if let objection = admission.objection(meta.groupID, settings) {
            logger.info("closing a connection: \(objection)", metadata: ["peer": "\(peer)"])
            close()
        }
    }

    /// It is known now: what it sends is taken as fast as it comes.
    private func readMore(_ context: ChannelHandlerContext) {
        context.channel.setOption(.maxMessagesPerRead, value: Listener.reads).whenFailure { [logger, peer] error in
            logger.debug("cannot change how a connection is read: \(error)", metadata: ["peer": "\(peer)"])
        }
    }

    private func welcome(_ answer: Answer, _ meta: ConnMeta) {
        writeAuthentication(
            true, feedback: "welcome", opaque: answer.opaque, version: answer.version,
            extensionField: answer.extensionField, extensions: meta.capabilities == nil ? nil : extensionsOffered)
    }

    /// What is said to a client that knows of additions to the protocol; the others get what they always got.
    private var extensionsOffered: ConnAuthAck.Extensions {
        let timeout = services.configuration.topicDefaults.answerTime / 1_000_000
        return ConnAuthAck.Extensions(
            capabilities: [.extend, .respectsDoesNotConsume, .respectsWindow],
            deliveryTimeoutMilliseconds: UInt32(clamping: max(1, timeout)))
    }

    /// Whether the connection is encrypted, and the certificate that the client showed; nil where it showed none.
    private func certificate() throws -> (isEncrypted: Bool, certificate: ShownCertificate?) {
        guard let context, isEncrypted else { return (false, nil) }
        let tls = try context.pipeline.syncOperations.handler(type: NIOSSLServerHandler.self)
        return (true, try tls.peerCertificate.map(ShownCertificate.init))
    }

    /// Does what the verdict says, and goes on with what waited for it, as if it had come now.
    private func resume(_ verdict: () -> Void) {
        guard machine.judged() else { return }
        asRead {
            verdict()
            for packet in machine.heldBeforeItWasOpen() { try handle(packet) }
        }
    }
}
