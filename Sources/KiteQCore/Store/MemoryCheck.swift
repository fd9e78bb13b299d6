/// What came of comparing a store's memory with its rows.
package struct MemoryCheck: Sendable, Hashable {
    /// Routes whose rows were gone or damaged, and were written again.
    package var routesWritten: Int
    /// Routes that messages refer to, and that nobody knows any more.
    package var unknownRoutes: Set<RouteID>
    /// Something was put back or lost: what the store has of messages may be other than what was read.
    package var mustReread: Bool
    /// The shard's server is another one than at the last look: it may apply later what was believed to be lost.
    package var hasMoved: Bool

    package init(
        routesWritten: Int = 0, unknownRoutes: Set<RouteID> = [], mustReread: Bool = false, hasMoved: Bool = false
    ) {
        self.routesWritten = routesWritten
        self.unknownRoutes = unknownRoutes
        self.mustReread = mustReread
        self.hasMoved = hasMoved
    }
}
