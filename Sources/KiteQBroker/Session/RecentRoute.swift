import KiteQCore

/// The route of a connection's last publish, since most of one connection have the same topic and message type: looking it up
/// takes a lock and two hashes. Lives on the connection's event loop.
struct RecentRoute {
    enum Way {
        case route(Route)
        /// The group may not publish to the topic.
        case forbidden
        /// The bindings are not known yet.
        case unknown
    }

    private var last: (version: Int, topic: BindingName, messageType: BindingName, route: Route)?

    /// - Parameter isAllowed: whether the connection's group may publish to the topic; asked where it is not remembered. Whoever
    ///   changes that makes this anew.
    mutating func way(
        topic: String, messageType: String, in routing: Routing, isAllowed: () -> Bool
    ) -> Way {
        // Before the look-up: what changes meanwhile makes this one old.
        let version = routing.version
        let (topic, messageType) = (BindingName(topic), BindingName(messageType))
        if let last, last.version == version, last.topic == topic, last.messageType == messageType {
            return .route(last.route)
        }
        guard isAllowed() else { return .forbidden }
        guard let route = routing.route(topic: topic.text, messageType: messageType.text) else { return .unknown }
        last = (version, topic, messageType, route)
        return .route(route)
    }
}
