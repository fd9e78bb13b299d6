package import NIOCore

/// The first packet's body: who connects.
package struct ConnMeta: Sendable, Hashable {
    package var groupID: String
    package var secretKey: String
    /// Seconds over which the connection's share of its group's messages rises; 0 for the full share at once.
    package var warmingUpSeconds: Int32
    /// Nil: a client that knows of no additions to the protocol, and is told of none.
    package var capabilities: ClientCapabilities?
    /// The most deliveries that the client wants in flight; 0: as many as the broker allows.
    package var window: UInt32

    package init(
        groupID: String, secretKey: String, warmingUpSeconds: Int32 = 0, capabilities: ClientCapabilities? = nil,
        window: UInt32 = 0
    ) {
        self.groupID = groupID
        self.secretKey = secretKey
        self.warmingUpSeconds = warmingUpSeconds
        self.capabilities = capabilities
        self.window = window
    }

    /// - Throws: ``WireError/Code/malformedBody``, ``WireError/Code/missingField`` or ``WireError/Code/invalidText``.
    package init(decoding body: ByteBuffer) throws(WireError) {
        let span = body.readableBytesSpan
        var (groupID, secretKey): (String?, String?)
        var warmingUpSeconds: Int32 = 0
        var capabilities: ClientCapabilities?
        var window: UInt32 = 0
        var reader = FieldReader(0..<span.byteCount, depth: 1)
        while try reader.next(in: span) {
            switch reader.key {
            case 1 << 3 | 2: groupID = try span.text(reader.content, "groupId", in: "CONN_META")
            case 2 << 3 | 2: secretKey = try span.text(reader.content, "secretKey", in: "CONN_META")
            case 3 << 3: warmingUpSeconds = Int32(truncatingIfNeeded: reader.varint)
            case 15 << 3: capabilities = ClientCapabilities(rawValue: UInt32(truncatingIfNeeded: reader.varint))
            case 16 << 3: window = UInt32(truncatingIfNeeded: reader.varint)
            default: break
            }
        }
        guard let groupID else { throw .missing("groupId", in: "CONN_META") }
        guard let secretKey else { throw .missing("secretKey", in: "CONN_META") }
        self.init(
            groupID: groupID, secretKey: secretKey, warmingUpSeconds: warmingUpSeconds, capabilities: capabilities,
            window: window)
    }
}
