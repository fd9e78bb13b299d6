package import Foundation

extension API {
    /// One broker at a glance.
    package struct Overview: Decodable, Sendable {
        package let broker: Broker
        package let version: String
        package let startedAt: Date
        package let now: Date
        /// Worst first.
        package let health: [Finding]
        /// Over all topics and groups, as the next ones: nil where the token is for some of them alone.
        package let rates: Rates?
        package let queues: Queues?
        package let memory: Memory?
        package let leases: [Lease]

        package struct Broker: Decodable, Sendable {
            package let name: String
            package let address: String
            package let state: String
        }

        /// A second.
        package struct Rates: Decodable, Sendable {
            package let published: Double
            package let delivered: Double
            package let acknowledged: Double
            package let failed: Double
        }

        package struct Queues: Decodable, Sendable {
            package let awaitingStore: Int
            package let inFlight: Int
            package let queued: Int
            package let unflushed: Int
            package let connections: Int
            package let groups: Int
        }

        package struct Memory: Decodable, Sendable {
            package let messages: Int
            package let bytes: Int
        }
    }

    /// What an operator has to know.
    package struct Finding: Decodable, Sendable {
        /// critical, warning or information.
        package let severity: String
        package let subject: String
        package let text: String
        package let action: String
    }
}
