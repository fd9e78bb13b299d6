import KiteQCore
import NIOCore

/// A dead letter, as the API shows it.
struct DeadLetterAnswer: Encodable, Sendable {
    var letter: String
    var id: String
    var group: String
    var reason: DeadLetterReasonName
    var attempts: Int
    var lastError: String?
    var diedAt: Time
    var topic: String
    var messageType: String
    var publisherGroup: String
    var publishedAt: Time

    init(_ letter: DeadLetter, _ caller: Caller) {
        self.letter = letter.id.description
        id = letter.messageID.description
        group = letter.group
        reason = DeadLetterReasonName(letter.reason)
        attempts = letter.attempts
        // Consumers write it, and may repeat in it what the message holds.
        lastError = caller.seesContent ? letter.lastError : nil
        diedAt = letter.diedAt.time
        topic = letter.topic
        messageType = letter.messageType
        publisherGroup = letter.publisherGroup
        publishedAt = letter.publishedAt.time
    }
}

struct DeadLetterDetail: Encodable, Sendable {
    var deadLetter: DeadLetterAnswer
    /// Null where it is not for who asks.
    @ExplicitNull var content: ContentAnswer?

    init(_ letter: DeadLetter, _ content: DeadLetter.Content, _ caller: Caller) {
        deadLetter = DeadLetterAnswer(letter, caller)
        self.content =
            caller.seesContent
            ? ContentAnswer(
                kind: letter.kind, header: content.header, body: content.body, bodySize: content.body.readableBytes)
            : nil
    }
}

/// Why a message died, by the name that it has in the API.
enum DeadLetterReasonName: String, Codable, CaseIterable, Sendable {
    case attempts, expired, undecided

    init(_ reason: DeadLetterReason) {
        switch reason {
        case .attemptsUsedUp: self = .attempts
        case .expired: self = .expired
        case .undecided: self = .undecided
        }
    }

    var reason: DeadLetterReason {
        switch self {
        case .attempts: .attemptsUsedUp
        case .expired: .expired
        case .undecided: .undecided
        }
    }
}

/// What became of those that were meant.
struct DeadLetterResult: Encodable, Sendable {
    struct Skipped: Encodable, Sendable {
        var letter: String
        var reason: String
    }

    private(set) var done = 0
    private(set) var skipped: [Skipped] = []
    /// Those of the last step, for the audit log.
    private var fresh: [DeadLetterID] = []

    private enum CodingKeys: String, CodingKey { case done, skipped }

    mutating func did(_ letter: DeadLetterID) {
        done += 1
        fresh.append(letter)
    }

    /// Those that were done since this was asked before.
    mutating func takeDone() -> [DeadLetterID] {
        defer { fresh.removeAll() }
        return fresh
    }

    mutating func skip(_ letter: DeadLetterID, _ reason: String) {
        skipped.append(Skipped(letter: letter.description, reason: reason))
    }
}
