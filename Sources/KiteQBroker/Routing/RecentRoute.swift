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
    /// Nil before the first. Fields of their own: to take them out of one optional would copy them all for each publish.
    private var version: Int?
    private var topic = BindingName("")
    private var messageType = BindingName("")
    private var route = Route([])

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
        if version == self.version, topic == self.topic, messageType == self.messageType { return .route(route) }
        guard isAllowed() else { return .forbidden }
        switch routing.find(topic: topic.text, messageType: messageType.text) {
        case .unknown: return .unknown
        case .dear: return nil
        case .route(let route):
            (self.version, self.topic, self.messageType, self.route) = (version, topic, messageType, route)
            return .route(route)
        }
    }
}
