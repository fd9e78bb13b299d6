/// Messages that a client may be unable to take, however often they are sent.
///
/// KiteQ's public Java client closes its connection at a packet of more than 32 KiB, without a word: what a broker sees is a lost
/// connection, or no answer. It cannot mend that, but it can say what it looks like.
extension DeliveryMachine {
    /// What the public Java client takes: the limit of its decoder, for a whole packet.
    package static let doubtfulBytes = 32 << 10

    /// A client speaks as one does that takes no large packets.
    package mutating func doubt(_ id: DeliveryClientID) {
        guard let c = clients.index(of: id) else { return }
        clients[c].isDoubtful = true
    }

    /// Why an attempt failed, with the doubt where there is one.
    mutating func explained(
        _ error: String, _ entry: DeliveryClient.Entry, by c: ClientIndex, wall: Timestamp
    ) -> String {
        let bytes = slots[entry.slot].message.packetBytes
        guard clients[c].isDoubtful, bytes > Self.doubtfulBytes else { return error }
        groups[clients[c].group].counters.lastDoubt = .init(
            at: time(of: slots[entry.slot].shard, wall), bytes: bytes)
        return
            "\(error); the message takes \(bytes) bytes, and KiteQ's Java client takes no more than 32 KiB: see max_body"
    }
}

extension Message {
    /// Of a delivery's body, about.
    var packetBytes: Int { footprint - Self.overhead }
}
