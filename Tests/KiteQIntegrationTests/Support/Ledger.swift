import KiteQ
import Synchronization

/// Which messages a broker acknowledged, which it refused and why, and how often each group got each: by their bodies, which
/// are unique.
final class Ledger: Sendable {
    private struct State {
        var acknowledged: Set<String> = []
        var refusals: [KiteQError] = []
        var received: [String: [String: Int]] = [:]
    }

    private let state = Mutex(State())

    // MARK: Noting

    /// Notes a message that a group got; returns how often it has got it.
    @discardableResult
    func got(_ message: IncomingMessage, _ group: String) -> Int {
        state.withLock { state in
            state.received[group, default: [:]][message.body.string, default: 0] += 1
            return state.received[group]?[message.body.string] ?? 0
        }
    }

    /// Publishes a message of this text once.
    /// - Returns: nil where it was acknowledged.
    @discardableResult
    func publish(_ text: String, type: String = "paid", _ producer: Producer) async throws -> KiteQError? {
        try await publish(.paid(text, type: type), producer)
    }

    /// Publishes a message once.
    /// - Returns: nil where it was acknowledged.
    @discardableResult
    func publish(_ message: OutgoingMessage, _ producer: Producer) async throws -> KiteQError? {
        do {
            try await producer.publish(message)
            state.withLock { _ = $0.acknowledged.insert(message.body.string) }
            return nil
        } catch let error as KiteQError {
            state.withLock { $0.refusals.append(error) }
            return error
        }
    }

    /// Publishes one and the same message until it is acknowledged.
    func publishUntilTaken(_ text: String, _ producer: Producer) async throws {
        let message = OutgoingMessage.paid(text)
        try await eventually("'\(text)' is taken") { try await publish(message, producer) == nil }
    }

    /// Publishes in one go messages whose texts are numbers; returns the first refusal.
    @discardableResult
    func publish(
        _ numbers: Range<Int>, prefix: String = "", type: String = "paid", padding: Int = 0, _ producer: Producer
    ) async throws -> KiteQError? {
        let texts = numbers.map { "\(prefix)\($0)" }
        let filler = padding == 0 ? "" : " " + String(repeating: "x", count: padding)
        let results = await producer.publish(contentsOf: texts.map { .paid($0 + filler, type: type) })
        var first: KiteQError?
        for (text, result) in zip(texts, results) {
            switch result {
            case .success: state.withLock { _ = $0.acknowledged.insert(text + filler) }
            case .failure(let error as KiteQError):
                state.withLock { $0.refusals.append(error) }
                first = first ?? error
            case .failure(let error): throw error
            }
        }
        return first
    }

    // MARK: Asking

    var acknowledged: Set<String> { state.withLock { $0.acknowledged } }
    var refusals: [KiteQError] { state.withLock { $0.refusals } }

    /// Different messages that the group got.
    func count(_ group: String) -> Int { state.withLock { $0.received[group]?.count ?? 0 } }

    func times(_ text: String, _ group: String) -> Int { state.withLock { $0.received[group]?[text] ?? 0 } }

    /// Acknowledged messages that the group has not got.
    func missing(_ group: String) -> Set<String> {
        state.withLock { $0.acknowledged.subtracting($0.received[group].map { Set($0.keys) } ?? []) }
    }

    /// Messages that the group got more than once.
    func repeated(_ group: String) -> [String: Int] {
        state.withLock { ($0.received[group] ?? [:]).filter { $0.value > 1 } }
    }
}

extension OutgoingMessage {
    static func paid(_ text: String, type: String = "paid") -> OutgoingMessage {
        OutgoingMessage(topic: "trade", messageType: type, text: text)
    }
}
