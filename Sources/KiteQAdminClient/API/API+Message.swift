package import Foundation

extension API {
    /// Which messages are searched; nil: whatever it is.
    package struct MessageFilter: Sendable, Hashable {
        package var topic: String?
        package var type: String?
        /// Owed to this group.
        package var group: String?
        package var state: String?
        /// Accepted at this time or later.
        package var from: Date?
        /// Accepted before this time.
        package var before: Date?
        package var isNewestFirst = false

        package init() {}
    }

    package struct Message: Decodable, Sendable {
        package let id: String
        package let topic: String
        package let messageType: String
        package let publisherGroup: String
        package let state: String
        package let publishedAt: Date
        package let acceptedAt: Date
        package let expiresAt: Date?
        package let deliverLimit: Int
        package let shard: Int
    }

    package struct Content: Decodable, Sendable {
        package let properties: [String: String]
        package let body: String
        /// text or base64.
        package let encoding: String
        /// Only its first bytes are here.
        package let isCut: Bool
        /// Of the whole body.
        package let bodyBytes: Int
    }

    /// One message, and what happened to it.
    package struct MessageStory: Decodable, Sendable {
        /// Nil where only a dead letter or a decided transaction is left of it.
        package let message: Message?
        /// Nil where nothing is left of it, or the role is `counts`.
        package let content: Content?
        package let groups: [Delivery]
        package let transaction: Decision?
        package let deadLetters: [DeadLetter]
        /// Oldest first.
        package let events: [Event]

        package struct Delivery: Decodable, Sendable {
            package let group: String
            package let state: String
            package let broker: String?
            package let attempts: Int
            package let lastError: String?
            package let dueAt: Date?
        }

        package struct Decision: Decodable, Sendable {
            package let outcome: String
            package let checks: Int
            package let nextCheckAt: Date?
            package let decidedAt: Date?
        }

        package struct Event: Decodable, Sendable {
            package let at: Date
            package let text: String
            /// Still to come, unless something else happens first.
            package let isExpected: Bool
        }
    }

    /// A half message that nobody has decided.
    package struct Transaction: Decodable, Sendable {
        package let id: String
        package let topic: String
        package let messageType: String
        package let publisherGroup: String
        package let publishedAt: Date
        /// Questions asked.
        package let checks: Int
        package let nextCheckAt: Date
        /// Whether there is anybody to ask then; nil from a broker that does not say.
        package let isAskable: Bool?
        package let shard: Int
    }
}
