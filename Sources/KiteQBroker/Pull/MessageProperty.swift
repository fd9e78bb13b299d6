package import KiteQCore
import KiteQWire

/// One of the properties that a producer gave its message.
package struct MessageProperty: Sendable, Hashable {
    package var key: String
    package var value: String

    package init(_ key: String, _ value: String) {
        self.key = key
        self.value = value
    }
}

extension Message {
    /// The properties in its header, in their order; decoded at each call.
    package var properties: [MessageProperty] {
        // The header was read once already, when the message came.
        guard let header = try? ProtoHeader(decoding: header) else { return [] }
        return header.properties.map { MessageProperty($0.key, $0.value) }
    }
}
