/// What the harness must know of a message while it is under way; 8 bytes.
struct MessageState: Sendable {
    /// How far its sender is, for the answer to the broker's question.
    enum Sender: UInt8, Sendable {
        case sending
        /// Stored, and decided as the plan says.
        case stored
        /// Given up: not known to be stored.
        case givenUp
    }

    static let maxGroups = 3

    var sender = Sender.sending
    /// Bit for each group that has accepted it, or, where it is poison for it, has seen it.
    var finished: UInt8 = 0
    /// Deliveries begun, for each group; stays at 255.
    var deliveries: (UInt8, UInt8, UInt8) = (0, 0, 0)
    /// Of these, those that a consumer refused.
    var refusals: (UInt8, UInt8, UInt8) = (0, 0, 0)
}

extension MessageState {
    /// Counts a delivery; returns how many there were before.
    mutating func begin(_ group: Int) -> UInt8 { Self.increment(&deliveries, group) }
    mutating func refuse(_ group: Int) -> UInt8 { Self.increment(&refusals, group) }

    func refusals(of group: Int) -> Int {
        switch group {
        case 0: Int(refusals.0)
        case 1: Int(refusals.1)
        default: Int(refusals.2)
        }
    }

    private static func increment(_ counts: inout (UInt8, UInt8, UInt8), _ group: Int) -> UInt8 {
        func raise(_ count: inout UInt8) -> UInt8 {
            defer { if count < .max { count += 1 } }
            return count
        }
        switch group {
        case 0: return raise(&counts.0)
        case 1: return raise(&counts.1)
        default: return raise(&counts.2)
        }
    }
}
