import ArgumentParser
import KiteQCore
import KiteQStore

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

    /// What it names, oldest first; none where there is nothing of that name.
    /// - Parameter group: of a message's letters only that one's.
    func letters(in store: DeadLetterStore, group: String?) async throws -> [DeadLetter] {
        switch self {
        case .letter(let id):
            if let letter = try await store.letter(id) { [letter] } else { [] }
        case .message(let id):
            try await store.letters(of: id).filter { group?.utf8.elementsEqual($0.group.utf8) ?? true }
        }
    }
}
