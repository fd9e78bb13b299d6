import KiteQCore
import Logging

/// Says once that something fails, now and then that it still does, and when it works again: a log that can be read
/// after a long outage.
///
/// A reason that differs each time, and a failure that comes and goes, have a few lines a minute, too.
struct FailureStreak {
    private let what: String
    private let logger: Logger
    private let saysRefusals: Bool
    private var count = 0
    private var last = ""
    /// When a line was written of this streak.
    private var saidAt: ContinuousClock.Instant?
    private var throttle = LogThrottle(limit: 5, per: .seconds(60))

    /// The same reason is said again after this.
    private static let reminder = Duration.seconds(60)

    /// - Parameters:
    ///   - what: fits behind "cannot".
    ///   - saysRefusals: whether it says that the store does not let this broker in: of all that meet it, one does.
    init(_ what: String, _ logger: Logger, saysRefusals: Bool = false) {
        self.saysRefusals = saysRefusals
        self.what = what
        self.logger = logger
    }

    mutating func add(_ error: any Error, now: ContinuousClock.Instant = .now) {
        guard !(error is CancellationError) else { return }
        count += 1
        let text = "\(error)"
        defer { last = text }
        let isNews = text != last || saidAt.map { now - $0 >= Self.reminder } ?? true
        let isSaidElsewhere = !saysRefusals && (error as? StoreError)?.code == .refused
        guard isNews, !isSaidElsewhere, throttle.admit(now: now) != nil else { return }
        saidAt = now
        let times = count > 1 ? " (\(count) times)" : ""
        logger.error("cannot \(what), trying again\(times): \(text)")
    }

    /// The failure that it is at; nil where it works.
    var current: String? { count > 0 ? last : nil }

    mutating func end() {
        if saidAt != nil { logger.notice("can \(what) again after \(count) failures") }
        count = 0
        last = ""
        saidAt = nil
    }
}
