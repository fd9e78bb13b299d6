/// A topic and a message type as one number, to tell them from another pair where the names are not kept: FNV-1a.
package enum SubjectHash {
    package static func of(topic: String, messageType: String) -> UInt64 {
        var hash = start
        mix(topic, into: &hash)
        mix(messageType, into: &hash)
        return hash
    }

    package static let start: UInt64 = 0xCBF2_9CE4_8422_2325

    /// A name, and behind it a byte that no UTF-8 has.
    package static func mix(_ name: String, into hash: inout UInt64) {
        for byte in name.utf8 { mix(byte, into: &hash) }
        mix(0xFF, into: &hash)
    }

    @inline(__always)
    package static func mix(_ byte: UInt8, into hash: inout UInt64) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
}
