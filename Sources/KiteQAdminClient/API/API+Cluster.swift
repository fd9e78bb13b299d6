package import Foundation

extension API {
    package struct BrokerList: Decodable, Sendable {
        package let items: [BrokerStatus]
        package let unreachable: [Unreachable]
    }

    package struct BrokerStatus: Decodable, Sendable {
        package let name: String
        package let address: String
        package let state: String
        package let joinedAt: Date
        /// The one that answers.
        package let isThis: Bool
        package let leases: [Lease]
        /// With clients there.
        package let groups: [String]
    }

    package struct ShardList: Decodable, Sendable {
        package let at: Date
        package let items: [Shard]
    }

    /// A shard; nil is what is not known, all but the reason where it cannot be reached.
    package struct Shard: Decodable, Sendable {
        package let shard: Int
        package let isReachable: Bool
        package let reason: String?
        package let server: String?
        package let database: String?
        /// Seconds.
        package let answerTime: Double?
        package let counts: StateCounts?
        package let deadLetters: Count?
        package let estimatedRows: Int?
        /// On disk, as the server estimates.
        package let bytes: Int?
        package let historyListLength: Int?
        package let oldestAt: Date?
        package let pool: Pool?
        package let unflushed: Int?

        package struct StateCounts: Decodable, Sendable {
            package let half: Count
            package let fresh: Count
            package let tracked: Count
        }

        /// Connections.
        package struct Pool: Decodable, Sendable {
            package let open: Int
            package let idle: Int
            package let waiting: Int
        }
    }

    package struct TopicList: Decodable, Sendable {
        package let items: [Topic]
        package let countedAt: Date
        /// Rows that were counted.
        package let counted: Int
        /// False: the oldest and newest rows of each shard were counted, not all.
        package let isExact: Bool
        package let unreachable: [Unreachable]
    }

    package struct Topic: Decodable, Sendable {
        package let topic: String
        package let isServed: Bool
        package let published: Double
        package let delivered: Double
        package let acknowledged: Double
        /// Published since this broker serves.
        package let total: Int
        package let half: Int
        package let fresh: Int
        package let tracked: Int
    }
}
