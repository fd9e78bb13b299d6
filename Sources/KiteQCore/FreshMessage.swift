/// A message that is owed to every group of its route: its place, without its content.
package struct FreshMessage: Sendable, Hashable {
    package var seq: Int64
    package var route: Route

    package init(seq: Int64, route: Route) {
        self.seq = seq
        self.route = route
    }
}
