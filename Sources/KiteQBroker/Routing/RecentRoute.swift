import KiteQCore

/// Where a publish goes.
enum RouteWay {
    case route(Route)
    /// The group may not publish to the topic.
    case forbidden
    /// The bindings are not known yet.
    case unknown
}

/// The route of a connection's last publish, since most of one connection have the same topic and message type: looking it up
/// takes a lock and two hashes. Lives on the connection's event loop.
struct RecentRoute {
    private var last: (version: Int, topic: BindingName, messageType: BindingName, route: Route)?

    /// Nil where it takes long to find out: then it is to be asked again after ``RouteFinder`` has.
    ///
    /// - Parameter isAllowed: whether the connection's group may publish to the topic; asked where it is not remembered. Whoever
    ///   changes that makes this anew.
    mutating func way(
        topic: String, messageType: String, in routing: Routing, isAllowed: () -> Bool
    ) -> RouteWay? {
        // Before the look-up: what changes meanwhile makes this one old.
        let version = routing.routesVersion
        let (topic, messageType) = (BindingName(topic), BindingName(messageType))
        if let last, last.version == version, last.topic == topic, last.messageType == messageType {
            return .route(last.route)
        }
        guard isAllowed() else { return .forbidden }
        switch routing.find(topic: topic.text, messageType: messageType.text) {
        case .unknown: return .unknown
        case .dear: return nil
        case .route(let route):
            last = (version, topic, messageType, route)
            return .route(route)
        }
    }
}
