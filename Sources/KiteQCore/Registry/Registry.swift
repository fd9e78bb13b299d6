/// Where brokers and clients find each other, and where bindings are kept: ZooKeeper, a file, or a fixed list.
///
/// What it gives: the bindings of topics and the brokers of a topic, each as a stream of whole snapshots. A subscriber
/// that is slow sees the newest one only. What a registry has said stays in force while it is away: nothing is ever
/// reported empty because a connection was lost.
///
/// What it does not give: any word on who is alive beyond what the registry's own sessions say, and any order between
/// streams.
///
/// Nothing happens before ``run()`` runs: the streams stay silent, and the asynchronous calls wait.
package protocol Registry: Sendable {
    /// Keeps the connection: connects, watches, reconnects, for ever. Call it once.
    ///
    /// Ends when its task is cancelled, with everything of this process unregistered (as far as the registry can be
    /// reached) and all streams finished; calls that still wait fail with ``RegistryError/Code/closed``.
    func run() async throws

    /// Announces this broker for these topics, and again after each lost session, until ``unregister()``. Calling it
    /// again replaces address and topics.
    ///
    /// Returns once the registry holds the announcement, which takes as long as the registry is away. Where the calling
    /// task is cancelled meanwhile it throws `CancellationError`, and the announcement stays wanted.
    /// - Throws: ``RegistryError`` where no waiting helps: names the registry cannot hold, or no permission.
    func register(_ broker: BrokerAddress, topics: [String]) async throws

    /// Takes the announcement of ``register(_:topics:)`` back, so that clients stop coming; returns once the registry
    /// holds it no more. Does nothing where nothing was registered.
    func unregister() async throws

    /// The bindings of these topics: the whole of them once they are known, and again at each change.
    ///
    /// Changes that come together make one snapshot. A group keeps its last bindings where its data cannot be read, or are
    /// missing though nobody was seen to delete them: a registry that lost its data is an outage, not a wish. Where it
    /// never had any here, those of `lastKnown` (what the broker remembered from its last life) stand in. Where that is nil it
    /// cannot be asked for yet: a topic with a group whose data cannot be read is hidden until another call brings it.
    /// What cannot be read holds up nothing else: a group whose data cannot is left out, or keeps what it had, and a topic of
    /// which nothing is known is in `hidden`. ``problems`` names both.
    /// The stream ends with ``run()``.
    func snapshots(of topics: [String], lastKnown: [Binding]?) -> AsyncStream<BindingSnapshot>

    /// The brokers that serve a topic, sorted, as they come and go: the first value once they are known.
    /// The stream ends with ``run()``.
    func brokers(of topic: String) -> AsyncStream<[BrokerAddress]>

    /// Publishes a consumer group's own bindings, again after each lost session. They replace what was published through
    /// this registry for the group before: the group leaves a topic that is no longer named. Waits and throws like
    /// ``register(_:topics:)``. They outlive the process.
    func publish(bindings: [Binding], of group: String) async throws

    /// Lists this process among the producers of these topics, for people to look at: nothing depends on it.
    /// Waits and throws like ``register(_:topics:)``.
    func announceProducer(group: String, topics: [String]) async throws

    /// Ends a group's bindings to these topics for everybody, in its place: for a group that is gone. Its consumers bind it
    /// again where they come back. Waits and throws like ``register(_:topics:)``.
    /// - Throws: ``RegistryError`` of code `unsupported` where people keep the bindings by hand.
    func removeBindings(of group: String, from topics: [String]) async throws

    /// Whether the registry can be reached now.
    var isConnected: Bool { get }

    /// What of it cannot be used, for as long as that lasts.
    var problems: [RegistryProblem] { get }
}

extension Registry {
    package var problems: [RegistryProblem] { [] }

    package func removeBindings(of group: String, from topics: [String]) async throws {
        throw RegistryError(.unsupported, "This registry's bindings cannot be removed.")
    }

    /// The bindings of ``snapshots(of:lastKnown:)`` alone.
    package func bindings(
        of topics: [String], lastKnown: [Binding] = []
    ) -> AsyncMapSequence<AsyncStream<BindingSnapshot>, [Binding]> {
        snapshots(of: topics, lastKnown: lastKnown).map(\.bindings)
    }
}
