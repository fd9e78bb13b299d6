package import NIOCore

/// A message that is to be published without a session of its own, such as over HTTP. Always committed.
package struct NewMessage: Sendable {
    package enum Body: Sendable {
        case text(String)
        case bytes(ByteBuffer)
    }

    /// 32 hexadecimal digits, unique; nil: the broker makes one. To publish the same message again, keep it.
    package var id: String?
    package var topic: String
    package var messageType: String
    package var body: Body
    package var properties: [MessageProperty]
    /// Seconds from its arrival, 1 to 7 days of them; nil: 7 days.
    package var timeToLive: Int64?
    /// Attempts of each group; 0 or below, or above 100, is 100.
    package var deliverLimit: Int
    /// Not stored: delivered from the broker's memory, or lost.
    package var isFly: Bool

    package init(
        id: String? = nil, topic: String, messageType: String, body: Body, properties: [MessageProperty] = [],
        timeToLive: Int64? = nil, deliverLimit: Int = 0, isFly: Bool = false
    ) {
        self.id = id
        self.topic = topic
        self.messageType = messageType
        self.body = body
        self.properties = properties
        self.timeToLive = timeToLive
        self.deliverLimit = deliverLimit
        self.isFly = isFly
    }
}
