import KiteQCore
import KiteQWire
import Logging
import NIOCore

/// What is sent. Each of these appends to `outbound` and leaves in one write a batch.
extension ConnectionHandler {
    /// - Parameter bytes: of their messages, as the account of what is not written has them.
    func write(_ deliveries: [DeliveryActions.Delivery], bytes: Int) {
        guard let connection = machine.client?.connection else {
            return services.dispatcher.outbound.subtract(bytes)
        }
        let start = outbound.readableBytes
        defer {
            unwritten.hold(deliveries: bytes, length: outbound.readableBytes - start)
            flush()
        }
        outbound.reserveCapacity(minimumWritableBytes: deliveries.reduce(0) { $0 + $1.message.footprint })
        for delivery in deliveries {
            write { () throws(WireError) in
                try delivery.message.withBytes { (header, body, extra) throws(WireError) in
                    try PacketWriter.writeDelivery(
                        into: &outbound, framing: framing, opaque: Int32(bitPattern: delivery.opaque),
                        version: connection.version, extension: connection.extensionField,
                        command: delivery.message.kind == .bytes ? .bytesMessage : .stringMessage,
                        header: header, body: body, extra: extra)
                }
            }
        }
    }

    func write(_ results: [PublishResult]) {
        guard machine.client != nil else { return }
        var bytes = 0
        for result in results {
            bytes += result.publish.message.footprint
            writeStoreAck(result)
        }
        acknowledged(bytes: bytes)
        flush()
    }

    func writeStoreAck(_ result: PublishResult) {
        result.publish.withMessageID { id in
            PacketWriter.writeStoreAck(
                into: &outbound, framing: framing, opaque: result.publish.opaque, version: result.publish.version,
                extension: result.publish.extensionField, messageID: id, status: result.status,
                feedback: result.status ? result.feedback : VisibleText.escaped(result.feedback))
        }
    }

    func writeQuestion(header: ByteBuffer, opaque: Int32) {
        guard let connection = machine.client?.connection else { return }
        write { () throws(WireError) in
            try PacketWriter.writeTransactionAck(
                into: &outbound, framing: framing, opaque: opaque, version: connection.version,
                extension: connection.extensionField, header: header, status: TransactionAck.Status.unknown,
                feedback: "commit or roll back?")
        }
        flush()
    }

    func writeAuthentication(
        _ status: Bool, feedback: String, opaque: Int32, version: Int16, extensionField: Int64,
        extensions: ConnAuthAck.Extensions? = nil
    ) {
        PacketWriter.writeConnAuthAck(
            into: &outbound, framing: framing, opaque: opaque, version: version, extension: extensionField,
            status: status, feedback: VisibleText.escaped(feedback), extensions: extensions)
    }

    /// Packets are checked to fit when they are accepted; one that does not is left out and told of, not half written.
    private func write(_ packet: () throws(WireError) -> Void) {
        do {
            try packet()
        } catch {
            logger.error("a packet could not be written: \(error)", metadata: ["peer": "\(peer)"])
        }
    }
}
