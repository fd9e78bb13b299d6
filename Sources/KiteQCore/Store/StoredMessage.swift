/// A message with its place in the store.
package struct StoredMessage: Sendable {
    /// What the store's row says of its deliveries.
    package enum State: UInt8, Sendable, Hashable {
        /// Not committed: delivered to nobody.
        case half = 0
        /// Owed to every group of its route.
        case fresh = 1
        /// Owed to the groups that have a delivery row; the route says nothing any more.
        case tracked = 2
    }

    /// One group's row of a tracked message.
    package struct Delivery: Sendable, Hashable {
        package var group: String
        package var attempts: Int
        /// Unix milliseconds; 0 while the group is away or cannot take it.
        package var dueAt: Timestamp

        package init(group: String, attempts: Int, dueAt: Timestamp) {
            self.group = group
            self.attempts = attempts
            self.dueAt = dueAt
        }
    }

    package var seq: Int64
    package var message: Message
    package var state: State
    /// The groups it was accepted for; empty unless `state` is fresh.
    package var route: Route
    /// The delivery rows; empty unless `state` is tracked.
    package var deliveries: [Delivery]

    package init(seq: Int64, message: Message, state: State, route: Route, deliveries: [Delivery] = []) {
        self.seq = seq
        self.message = message
        self.state = state
        self.route = route
        self.deliveries = deliveries
    }
}
