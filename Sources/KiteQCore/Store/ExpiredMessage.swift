/// A fresh message whose time was over while it lay in the store.
package struct ExpiredMessage: Sendable, Hashable {
    package var seq: Int64
    package var route: Route
    package var id: MessageID
    package var topic: String

    package init(seq: Int64, route: Route, id: MessageID, topic: String) {
        self.seq = seq
        self.route = route
        self.id = id
        self.topic = topic
    }
}

/// A group's dead letter of a message that was in no memory when it died.
package struct ExpiredDelivery: Sendable, Hashable {
    package var id: MessageID
    package var topic: String
    package var group: String

    package init(id: MessageID, topic: String, group: String) {
        self.id = id
        self.topic = topic
        self.group = group
    }
}
