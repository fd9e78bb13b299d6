import KiteQCore
import KiteQStore

/// One set of messages that a broker and its successor share.
struct InMemoryMessageStoreBox: Sendable {
    private let store = InMemoryMessageStore()

    func session() -> any MessageStore { store.session() }
}
