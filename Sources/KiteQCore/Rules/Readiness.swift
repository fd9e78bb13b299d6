/// Whether a broker can do its work, and what speaks against it: one truth for `/readyz`, the findings and the metrics.
///
/// It is made of what the last writes and leases said, not of whether something can be read.
package struct Readiness: Sendable, Hashable {
    package enum State: String, Sendable, Hashable, CaseIterable {
        case ready
        /// It serves with some of its shards, and refuses what falls on the others.
        case degraded
        case notReady
    }

    /// What a broker knows of one shard.
    package struct Shard: Sendable, Hashable {
        package var number: Int
        /// Its lease of the shard holds.
        package var hasLease: Bool
        /// Why the lease could not be had or renewed at the last try; nil where it could.
        package var leaseFailure: String?
        /// Why the last insert, or attempt at one, failed; nil where it succeeded.
        package var insertFailure: String?
        /// How long the oldest outcome of a delivery has waited to be written, nanoseconds; nil where none waits.
        package var oldestUnwritten: MonotonicTime?

        package init(
            number: Int, hasLease: Bool, leaseFailure: String? = nil, insertFailure: String? = nil,
            oldestUnwritten: MonotonicTime? = nil
        ) {
            self.number = number
            self.hasLease = hasLease
            self.leaseFailure = leaseFailure
            self.insertFailure = insertFailure
            self.oldestUnwritten = oldestUnwritten
        }
    }

    /// Something that cannot be done in one shard.
    package struct Trouble: Sendable, Hashable {
        package var shard: Int
        /// A sentence without its full stop, with the shard's name.
        package var text: String
    }

    /// An outcome that waits for longer is stuck: written they are within a second or two.
    package static let longestUnwritten: MonotonicTime = 15_000_000_000

    package let state: State
    /// Why it serves nobody at all, whatever its shards say; nil where it does serve.
    package let reason: String?
    /// The shards that cannot be used, each with the first thing that speaks against it.
    package let troubles: [Trouble]

    /// A broker that does not serve at all: it starts or stops.
    package init(notServing reason: String) {
        state = .notReady
        self.reason = reason
        troubles = []
    }

    package init(_ shards: [Shard]) {
        reason = nil
        troubles = shards.compactMap { shard in Self.trouble(shard).map { Trouble(shard: shard.number, text: $0) } }
        state = troubles.isEmpty ? .ready : troubles.count < shards.count ? .degraded : .notReady
    }

    private static func trouble(_ shard: Shard) -> String? {
        let name = "shard \(shard.number)"
        // A store's error names the shard itself.
        func because(_ failure: String) -> Substring {
            failure.hasPrefix("\(name): ") ? failure.dropFirst(name.count + 2) : failure[...]
        }
        if let failure = shard.leaseFailure {
            return shard.hasLease
                ? "the lease of \(name) could not be renewed: \(because(failure))"
                : "\(name) is away: \(because(failure))"
        }
        if !shard.hasLease { return "the lease of \(name) is not renewed" }
        if let failure = shard.insertFailure { return "\(name) takes no messages: \(because(failure))" }
        if let age = shard.oldestUnwritten, age >= longestUnwritten {
            return "\(name): outcomes of deliveries wait to be written for \(age / 1_000_000_000) s"
        }
        return nil
    }

    /// All that speaks against it, in one sentence; nil where it is ready.
    package var sentence: String? {
        if let reason { return reason }
        guard !troubles.isEmpty else { return nil }
        let all = troubles.map(\.text).joined(separator: "; ")
        return state == .notReady ? "no shard of the store can be used: \(all)" : all
    }
}
