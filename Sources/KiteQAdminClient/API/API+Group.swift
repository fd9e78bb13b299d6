package import Foundation

extension API {
    package struct Group: Decodable, Sendable {
        package let group: String
        package let isPaused: Bool
        /// It has clients at the broker that answers, and nothing is acknowledged; nil from a broker that does not say.
        package let isStopped: Bool?
        package let pause: Pause?
        package let clientsHere: Int
        /// Those with clients of it.
        package let brokers: [String]
        /// At this broker.
        package let inFlight: Int
        /// In this broker's memory.
        package let queued: Int
        /// In the store, owed to it.
        package let waiting: Count
        package let oldestAt: Date?
        package let retrying: Count
        package let nextRetryAt: Date?
        package let deadLetters: Count
        package let delivered: Double
        package let acknowledged: Double
        package let failed: Double
        package let totals: Totals
        package let countedAt: Date
        package let unreachable: [Unreachable]

        package struct Pause: Decodable, Sendable {
            package let at: Date
            package let by: String
            package let reason: String
        }

        /// At this broker since it serves.
        package struct Totals: Decodable, Sendable {
            package let delivered: Int
            package let acknowledged: Int
            package let refused: Int
            package let timedOut: Int
            package let deadLettered: Int
        }
    }
}
