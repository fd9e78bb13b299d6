/// All lives of brokers that the shards remember.
package struct BrokerListing: Sendable, Hashable {
    /// The newest first.
    package var brokers: [BrokerLife]
    package var failures: [ShardFailure]

    package init(brokers: [BrokerLife], failures: [ShardFailure] = []) {
        self.brokers = brokers
        self.failures = failures
    }
}
