import ArgumentParser
import KiteQAdminClient
import KiteQCore

/// How a person names dead letters: one by its id, or all of a message.
enum DeadLetterReference: Sendable, Hashable, ExpressibleByArgument, CustomStringConvertible {
    case letter(DeadLetterID)
    case message(MessageID)

    init?(argument: String) {
        if let id = DeadLetterID(argument) {
            self = .letter(id)
        } else if let id = MessageID(argument) {
            self = .message(id)
        } else {
            return nil
        }
    }

    var description: String {
        switch self {
        case .letter(let id): id.description
        case .message(let id): id.description
        }
    }

    /// The ids of what it names. One that names a letter is not asked about: the act says whether it is there.
    /// - Parameter group: of a message's letters only that one's.
    func letters(_ client: AdminClient, group: String?) async throws -> [String] {
        switch self {
        case .letter(let id): return [id.description]
        case .message(let id):
            do {
                return try await client.send(API.message(id.description)).deadLetters
                    .filter { group?.utf8.elementsEqual($0.group.utf8) ?? true }.map(\.letter)
            } catch let error as AdminClientError where error.problem?.status == 404 {
                return []
            }
        }
    }
}
