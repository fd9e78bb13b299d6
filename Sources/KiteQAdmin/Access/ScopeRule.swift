/// What a token for some topics and groups alone gets of a route.
enum ScopeRule: Sendable, Hashable {
    /// Nothing: it is about the whole broker or its store.
    case whole
    /// What is within its scope: the route sees to that.
    case within
    /// All of it: nothing there is about a topic or a group.
    case apart
}
