package import NIOCore

/// The server's answer to CONN_META.
package struct ConnAuthAck: Sendable, Hashable {
    /// False: the server closes after this.
    package var status: Bool
    /// For people.
    package var feedback: String
    /// What is said to a client that knows of additions to the protocol alone; nil: nothing.
    package var extensions: Extensions?

    /// The fields that other clients are not sent.
    package struct Extensions: Sendable, Hashable {
        package var capabilities: BrokerCapabilities
        /// How long a delivery has for its answer, in milliseconds; 0: not said.
        package var deliveryTimeoutMilliseconds: UInt32

        package init(capabilities: BrokerCapabilities, deliveryTimeoutMilliseconds: UInt32) {
            self.capabilities = capabilities
            self.deliveryTimeoutMilliseconds = deliveryTimeoutMilliseconds
        }
    }

    package init(status: Bool, feedback: String, extensions: Extensions? = nil) {
        self.status = status
        self.feedback = feedback
        self.extensions = extensions
    }

    /// - Throws: ``WireError/Code/malformedBody`` or ``WireError/Code/missingField``.
    package init(decoding body: ByteBuffer) throws(WireError) {
        let span = body.readableBytesSpan
        var status: Bool?
        var feedback: String?
        var capabilities: BrokerCapabilities?
        var deliveryTimeout: UInt32 = 0
        var reader = FieldReader(0..<span.byteCount, depth: 1)
        while try reader.next(in: span) {
            switch reader.key {
            case 1 << 3: status = reader.varint != 0
            case 2 << 3 | 2: feedback = span.repairedText(reader.content)
            case 15 << 3: capabilities = BrokerCapabilities(rawValue: UInt32(truncatingIfNeeded: reader.varint))
            case 16 << 3: deliveryTimeout = UInt32(truncatingIfNeeded: reader.varint)
            default: break
            }
        }
        guard let status else { throw .missing("status", in: "CONN_AUTH") }
        guard let feedback else { throw .missing("feedback", in: "CONN_AUTH") }
        self.init(
            status: status, feedback: feedback,
            extensions: capabilities.map { Extensions(capabilities: $0, deliveryTimeoutMilliseconds: deliveryTimeout) })
    }
}
