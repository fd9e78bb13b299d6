import KiteQCore

/// The route of a connection's last publish, since most of one connection have the same topic and message type: looking it up
/// takes a lock and two hashes. Lives on the connection's event loop.
struct RecentRoute {
    private var last: (version: Int, topic: BindingName, messageType: BindingName, route: Route)?

    mutating func route(topic: String, messageType: String, in routing: Routing) -> Route? {
        // Before the look-up: what changes meanwhile makes this one old.
        let version = routing.version
        let (topic, messageType) = (BindingName(topic), BindingName(messageType))
        if let last, last.version == version, last.topic == topic, last.messageType == messageType { return last.route }
        let route = routing.route(topic: topic.text, messageType: messageType.text)
        last = route.map { (version, topic, messageType, $0) }
        return route
    }
}
