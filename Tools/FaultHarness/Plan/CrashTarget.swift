import KiteQCore

/// A named point at which a broker kills itself, and at which of its occasions.
package struct CrashTarget: Sendable, Hashable {
    package var name: String
    /// Rare ones die at the first; those on every message's way at one of many, so that there is load.
    package var occasions: ClosedRange<Int>

    package init(name: String, occasions: ClosedRange<Int>) {
        self.name = name
        self.occasions = occasions
    }

    /// Every point, in the order of a message's way.
    package static var all: [CrashTarget] {
        CrashPoint.allCases.map { CrashTarget(name: $0.rawValue, occasions: occasions(of: $0)) }
    }

    private static func occasions(of point: CrashPoint) -> ClosedRange<Int> {
        switch point {
        // Once for a message, or for what one read brought.
        case .publishReceived, .delivered, .deliveryAcknowledged, .decisionReceived, .halfStored: 200...1_500
        // Once for a batch.
        case .inserting, .inserted, .publishAcknowledged, .settling, .settled: 20...150
        case .deciding, .decided, .committed, .rolledBack, .tracking, .asked, .questionClaimed, .loaded: 5...40
        case .burying: 1...4
        case .orphanClaimed, .deliveryTaken, .releasing: 1...3
        case .joining, .leaving: 1...2
        case .joined: 1...1
        }
    }
}
