import Logging

/// Says once that something fails, now and then that it still does, and when it works again: a log that can be read
/// after a long outage.
struct FailureStreak {
    private let what: String
    private let logger: Logger
    private var count = 0
    private var last = ""

    /// - Parameter what: fits behind "cannot".
    init(_ what: String, _ logger: Logger) {
        self.what = what
        self.logger = logger
    }

    mutating func add(_ error: any Error) {
        guard !(error is CancellationError) else { return }
        count += 1
        let text = "\(error)"
        if text != last || count % 100 == 0 { logger.error("cannot \(what), trying again: \(text)") }
        last = text
    }

    /// The failure that it is at; nil where it works.
    var current: String? { count > 0 ? last : nil }

    mutating func end() {
        if count > 0 { logger.notice("can \(what) again after \(count) failures") }
        count = 0
        last = ""
    }
}
