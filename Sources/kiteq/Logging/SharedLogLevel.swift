import Logging
import Synchronization

/// The log level of the process, for loggers that have none of their own: it changes while they are in use.
final class SharedLogLevel: Sendable {
    private let index: Atomic<Int>

    init(_ level: Logger.Level = .info) {
        index = Atomic(Self.index(of: level))
    }

    var level: Logger.Level { Logger.Level.allCases[index.load(ordering: .relaxed)] }

    func set(_ level: Logger.Level) { index.store(Self.index(of: level), ordering: .relaxed) }

    private static func index(of level: Logger.Level) -> Int { Logger.Level.allCases.firstIndex(of: level) ?? 0 }
}
