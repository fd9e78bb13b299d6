/// A message that is owed to every group of its route: its place, without its content.
package struct FreshMessage: Sendable, Hashable {
    package var seq: Int64
    package var route: Route

    package init(seq: Int64, route: Route) {
        self.seq = seq
        self.route = route
    }
}

/// A place among the fresh messages of one broker, in the order of their index.
package struct FreshPlace: Sendable, Hashable {
    package var route: RouteID
    package var seq: Int64

    package init(route: RouteID, seq: Int64) {
        self.route = route
        self.seq = seq
    }
}
