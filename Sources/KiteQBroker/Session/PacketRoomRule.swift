import KiteQCore

/// Who may have a large packet on its way in, and who waits until another one's is whole: a pure rule.
///
/// A connection has room for all of its packet before it is read on, so whoever has begun can always end. Those of a group wait in
/// their order, and hold up no other group.
struct PacketRoomRule: Sendable {
    private struct Packet {
        var connection: UInt64
        var bytes: Int
        var group: String
    }

    private var shares: ByteShares
    private var underWay: [UInt64: Packet] = [:]
    private var waiting: [Packet] = []

    /// - Parameter bytes: of all such packets; those of one group have half of it.
    init(bytes: Int) { shares = ByteShares(all: bytes, share: max(bytes / 2, Self.least)) }

    /// One packet of the largest size always fits.
    private static let least = (2 << 20) + 1_024

    /// Whether there is room now; else the connection waits. One packet of a connection at a time.
    mutating func enter(_ connection: UInt64, bytes: Int, group: String) -> Bool {
        let packet = Packet(connection: connection, bytes: bytes, group: group)
        if !waiting.contains(where: { $0.group == group }), take(packet) { return true }
        waiting.append(packet)
        return false
    }

    /// Its packet is whole, or its connection has ended. Returns those that have room now.
    mutating func leave(_ connection: UInt64) -> [UInt64] {
        if let packet = underWay.removeValue(forKey: connection) {
            shares.giveBack(packet.bytes, for: [packet.group])
        } else {
            waiting.removeAll { $0.connection == connection }
        }
        var granted: [UInt64] = []
        var heldUp: Set<String> = []
        var left: [Packet] = []
        for packet in waiting {
            if !heldUp.contains(packet.group), take(packet) {
                granted.append(packet.connection)
            } else {
                heldUp.insert(packet.group)
                left.append(packet)
            }
        }
        waiting = left
        return granted
    }

    func hasRoom(_ connection: UInt64) -> Bool { underWay[connection] != nil }

    private mutating func take(_ packet: Packet) -> Bool {
        guard shares.take(packet.bytes, for: [packet.group]) else { return false }
        underWay[packet.connection] = packet
        return true
    }
}
