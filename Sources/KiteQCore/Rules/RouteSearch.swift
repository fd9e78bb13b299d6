/// Finds the groups of a route whose rows are lost: the id is a hash of them, so whoever guesses them knows that it is right.
package enum RouteSearch {
    /// Sets of groups that are tried for one message at the most.
    static let mostTries = 1 << 12

    /// The route of this id among the sets that a message may have been accepted for, by the groups that are bound to it now:
    /// all of them; without groups that are not kept for while they are away; without those that were bound only later.
    ///
    /// - Parameter groups: bound to the message's topic and type.
    package static func route(_ id: RouteID, among groups: [Route.Member]) -> Route? {
        let all = Route(groups).members
        // What is surely there, and what may be or not: of a few groups any, else those that come and go.
        let doubtful = 1 << all.count <= mostTries || all.count < 13 ? all : all.filter { !$0.persistent }
        let certain = doubtful.count == all.count ? [] : all.filter(\.persistent)
        if let route = route(id, certain, with: Array(doubtful.prefix(12))) { return route }
        guard !certain.isEmpty else { return nil }
        // One of many is new.
        for index in all.indices {
            var others = all
            others.remove(at: index)
            if let route = match(id, others) { return route }
        }
        return match(id, all)
    }

    private static func route(_ id: RouteID, _ certain: [Route.Member], with doubtful: [Route.Member]) -> Route? {
        // From all of them down: what is missing is the exception.
        for choice in (0..<1 << doubtful.count).reversed() {
            let chosen = doubtful.indices.filter { choice & 1 << $0 != 0 }.map { doubtful[$0] }
            if let route = match(id, certain + chosen) { return route }
        }
        return nil
    }

    private static func match(_ id: RouteID, _ members: [Route.Member]) -> Route? {
        let route = Route(members)
        return !route.isEmpty && route.id == id ? route : nil
    }
}
