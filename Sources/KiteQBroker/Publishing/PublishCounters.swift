/// What became of publishes since the start.
package struct PublishCounters: Sendable {
    package let stored = Counter()
    package let duplicates = Counter()
    /// Refused by a rule of the protocol, or by the store for this very row.
    package let refused = Counter()
    /// Refused because the group may not publish to the topic.
    package let forbidden = Counter()
    package let overloaded = Counter()
    package let failed = Counter()
    /// Nobody is bound to them: accepted and done.
    package let unrouted = Counter()
    package let fly = Counter()
}
