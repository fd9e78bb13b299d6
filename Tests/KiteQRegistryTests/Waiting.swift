import Logging
import Synchronization
import Testing

@testable import KiteQCore
@testable import KiteQRegistry

/// Polls a condition until it holds; false where it does not within the time.
func eventually(within limit: Duration, _ condition: () async -> Bool) async -> Bool {
    let deadline = ContinuousClock.now + limit
    while true {
        if await condition() { return true }
        if ContinuousClock.now >= deadline { return false }
        do { try await Task.sleep(for: .milliseconds(10)) } catch { return false }
    }
}

struct TooLate: Error {}

/// The first element of a stream that fits; the stream may be used again afterwards.
func first<Elements: AsyncSequence & Sendable>(
    in stream: Elements, within limit: Duration = .seconds(20),
    where fits: @escaping @Sendable (Elements.Element) -> Bool = { _ in true }
) async throws -> Elements.Element where Elements.Element: Sendable {
    try await withThrowingTaskGroup(of: Elements.Element?.self) { group in
        group.addTask {
            for try await element in stream where fits(element) { return element }
            return nil
        }
        group.addTask {
            try await Task.sleep(for: limit)
            throw TooLate()
        }
        defer { group.cancelAll() }
        return try #require(try await group.next() ?? nil, "the stream ended")
    }
}

/// Runs a registry around a body, and its shutdown after it.
func running<R: Registry, Result: Sendable>(
    _ registry: R, _ body: (R) async throws -> Result
) async throws -> Result {
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await registry.run() }
        do {
            let result = try await body(registry)
            group.cancelAll()
            try await group.waitForAll()
            return result
        } catch {
            group.cancelAll()
            throw error
        }
    }
}

/// Follows a stream and keeps all it saw.
final class History<Element: Sendable>: Sendable {
    private let seen = Mutex<[Element]>([])
    var elements: [Element] { seen.withLock { $0 } }

    func follow(_ stream: some AsyncSequence<Element, Never>) async {
        for await element in stream { seen.withLock { $0.append(element) } }
    }
}

/// Runs a body with the history of a stream, which is followed meanwhile.
func following<Element: Sendable>(
    _ stream: some AsyncSequence<Element, Never> & Sendable, _ body: (History<Element>) async throws -> Void
) async throws {
    let history = History<Element>()
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { await history.follow(stream) }
        defer { group.cancelAll() }
        try await body(history)
    }
}

/// Keeps what is logged.
struct RecordingLogHandler: LogHandler {
    final class Lines: Sendable {
        private let lines = Mutex<[String]>([])
        var all: [String] { lines.withLock { $0 } }
        func add(_ line: String) { lines.withLock { $0.append(line) } }
    }

    let lines: Lines
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.debug

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { lines.add("\(event.level): \(event.message)") }

    static func logger() -> (Logger, Lines) {
        let lines = Lines()
        return (Logger(label: "test") { _ in RecordingLogHandler(lines: lines) }, lines)
    }
}
