/// The time of one database server, as a broker knows it: what the server said when it was asked last, and what has passed
/// since by the broker's own monotonic clock.
///
/// Everything that is compared with what a shard holds goes by this: the broker's wall clock decides nothing. A server's clock
/// that jumps, against the monotonic clock, by more than the tolerance is followed only where the broker's wall clock bears it
/// out; else the time goes on as if it had not, until both agree again. The first reading is taken as it is.
package struct ServerClock: Sendable, Hashable {
    /// One look at the server's clock.
    package struct Reading: Sendable, Hashable {
        /// What the server said, at some moment between the next two.
        package var server: Timestamp
        package var sentAt: MonotonicTime
        package var receivedAt: MonotonicTime
        /// What this machine's wall clock said when the answer was there.
        package var wall: Timestamp

        package init(server: Timestamp, sentAt: MonotonicTime, receivedAt: MonotonicTime, wall: Timestamp) {
            self.server = server
            self.sentAt = sentAt
            self.receivedAt = receivedAt
            self.wall = wall
        }

        /// The server's milliseconds less the monotonic clock's: the least and the most that they may be.
        fileprivate var offsets: ClosedRange<Timestamp> {
            let latest = server - sentAt / 1_000_000
            return min(server - receivedAt / 1_000_000, latest)...latest
        }
    }

    /// Clocks that are further apart than this, in milliseconds, disagree; and what lies further ahead than its longest possible
    /// distance and this was written by a wrong clock.
    package static let tolerance: Timestamp = 2_000
    /// The answer to a look takes no longer, in milliseconds, or the time is not set by it: where in between the server's clock
    /// was read nobody knows.
    private static let longestLook: Timestamp = 1_000

    /// The server's milliseconds less those of the monotonic clock, as they are believed.
    package private(set) var offset: Timestamp
    /// How far this machine's wall clock is ahead of the server's, at the least: negative where it is behind, 0 where the last
    /// reading cannot tell them apart. Milliseconds.
    package private(set) var lead: Timestamp = 0
    /// How far the server's clock has jumped ahead (negative: back) and is not followed. Milliseconds.
    package private(set) var jump: Timestamp = 0

    package init(_ reading: Reading) {
        offset = reading.offsets.middle
        lead = Self.lead(of: reading)
    }

    package mutating func measure(_ reading: Reading) {
        let offsets = reading.offsets
        lead = Self.lead(of: reading)
        let distance = offsets.lowerBound > offset ? offsets.lowerBound - offset : min(0, offsets.upperBound - offset)
        if abs(distance) > Self.tolerance {
            guard !isApart else {
                jump = distance
                return
            }
            offset = offsets.middle
        } else if offsets.upperBound - offsets.lowerBound <= Self.longestLook {
            offset = offsets.middle
        }
        jump = 0
    }

    /// Unix milliseconds.
    package func now(at monotonic: MonotonicTime) -> Timestamp { monotonic / 1_000_000 + offset }

    /// Whether this machine's wall clock and the server's are further apart than is tolerated.
    package var isApart: Bool { abs(lead) > Self.tolerance }

    /// Whether the server's clock has jumped, and is not followed.
    package var hasJumped: Bool { jump != 0 }

    private static func lead(of reading: Reading) -> Timestamp {
        let look = max(0, reading.receivedAt - reading.sentAt) / 1_000_000
        if reading.wall > reading.server + look { return reading.wall - reading.server - look }
        return min(0, reading.wall - reading.server)
    }
}

extension ClosedRange<Timestamp> {
    fileprivate var middle: Timestamp { lowerBound + (upperBound - lowerBound) / 2 }
}

extension ServerClock {
    /// What is wrong with the clocks of this broker and a shard's server, a sentence for each; none where they agree.
    package func incidents(shard: Int) -> [String] {
        var incidents: [String] = []
        if hasJumped {
            incidents.append(
                "the clock of shard \(shard)'s server has jumped \(Self.apart(jump, "ahead", "back")), and this machine's does not bear it out: this broker goes on by the time before"
            )
        }
        if isApart {
            incidents.append(
                "this machine's clock is \(Self.apart(lead, "ahead of", "behind")) that of shard \(shard)'s server, by which everything that is stored goes"
            )
        }
        return incidents
    }

    private static func apart(_ distance: Timestamp, _ ahead: String, _ behind: String) -> String {
        "\(span(abs(distance))) \(distance > 0 ? ahead : behind)"
    }

    /// A time for people, to the nearest of its unit: what is measured as an hour less a millisecond is an hour.
    package static func span(_ time: Timestamp) -> String {
        let (second, minute, hour, day): (Timestamp, Timestamp, Timestamp, Timestamp) = (
            1_000, 60_000, 3_600_000, 86_400_000
        )
        // The time may be the longest that there is.
        func count(_ unit: Timestamp) -> Timestamp { time / unit + (time % unit < unit / 2 ? 0 : 1) }
        return switch time {
        case ..<(2 * minute): "\(count(second)) s"
        case ..<(2 * hour): "\(count(minute)) min"
        case ..<(2 * day): "\(count(hour)) h"
        default: "\(count(day)) days"
        }
    }
}
