import KiteQCore
import KiteQWire
import NIOCore

/// A message that a command publishes; its body is text.
struct OutgoingMessage: Sendable {
    var id = MessageID.random()
    var topic: String
    var messageType: String
    /// The publishing group, which is asked about a half message.
    var group: String
    var body: String
    var properties: [(key: String, value: String)] = []
    /// Unix seconds; -1: the broker's default.
    var expires: Int64 = -1
    var isHalf = false
    var isFly = false

    func header() throws -> ByteBuffer {
        var header = ProtoHeader()
        header.messageID = id.description
        header.topic = topic
        header.messageType = messageType
        header.groupID = group
        header.expiredTime = expires
        header.deliverLimit = 100
        header.commit = !isHalf
        header.fly = isFly
        header.properties = properties.map { property in
            var entry = ProtoEntry()
            entry.key = property.key
            entry.value = property.value
            return entry
        }
        return try header.serializedBuffer()
    }
}

/// What a producer says about its half message (protocol.md).
enum TransactionAnswer: Sendable, Hashable {
    case unknown, commit, rollBack

    var status: Int32 {
        switch self {
        case .unknown: TransactionAck.Status.unknown
        case .commit: TransactionAck.Status.commit
        case .rollBack: TransactionAck.Status.rollBack
        }
    }
}
