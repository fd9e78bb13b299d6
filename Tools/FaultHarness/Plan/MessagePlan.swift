import SeededRandom

/// What is to happen to a message: a pure function of the run's seed and the message's number.
package struct MessagePlan: Sendable, Hashable {
    package enum Way: UInt8, Sendable, Hashable, CaseIterable {
        case plain
        /// Half messages that the sender commits, rolls back, or leaves undecided until the broker asks; the answer to that
        /// is to commit, to roll back, or never a final one.
        case committed, rolledBack, askedCommit, askedRollBack, neverDecided
    }

    package let way: Way
    /// Index of its kind in ``Topology``, which says its groups.
    package let kind: Int
    /// After an unknown outcome or a refusal the sender publishes the same id again; else it goes on to the next message.
    package let isRepeated: Bool
    /// Each group refuses its first attempts so often.
    package let refusals: Int
    /// The last of its groups refuses it for ever: it ends among the dead letters after ``poisonLimit`` attempts.
    package let isPoison: Bool
    /// Bytes of the body.
    package let size: Int
    /// So many of the first deliveries to each group are held for longer than the brokers' delivery timeout.
    package let slowDeliveries: Int
    /// The poison is such that its consumer loses its connection over it, and says nothing.
    package let isDeadly: Bool
    /// Its id is published once more, when the first life is acknowledged and, if it is to be, decided.
    package let isReused: Bool
    /// Attempts of each group.
    package let deliverLimit: Int

    package static let poisonLimit = 5
    /// Header and properties have to fit into a packet of 2 MiB as well.
    package static let largestBody = 2 << 20 - 4_096

    /// - Parameter traits: what the load has besides the usual; without any, a message is the same in every load.
    package init(seed: UInt64, number: UInt32, traits: LoadTraits = []) {
        var generator = SplitMix64(seed: SplitMix64.mix(seed) ^ UInt64(number) &* 0x9E37_79B9_7F4A_7C15)
        let draw = Int.random(in: 0..<100, using: &generator)
        way =
            switch draw {
            case ..<64: .plain
            case ..<80: .committed
            case ..<88: .rolledBack
            case ..<93: .askedCommit
            case ..<97: .askedRollBack
            default: .neverDecided
            }
        kind = Int.random(in: 0..<Topology.kinds.count, using: &generator)
        isRepeated = Bool.random(using: &generator)
        let refusal = Int.random(in: 0..<200, using: &generator)
        refusals = refusal < 4 ? [1, 1, 2, 4][refusal] : 0
        let isRefused = Int.random(in: 0..<400, using: &generator) == 0
        let usualSize =
            Int.random(in: 0..<500, using: &generator) == 0
            ? Int.random(in: 8_192...65_536, using: &generator) : Int.random(in: 16...300, using: &generator)
        // Drawn for every load, so that what one trait draws is no other's matter.
        let anySize = Self.anySize(&generator)
        let (slowness, death, reuse) = (
            Int.random(in: 0..<120, using: &generator), Int.random(in: 0..<10_000, using: &generator),
            Int.random(in: 0..<20, using: &generator)
        )
        size = traits.contains(.sizes) ? anySize : usualSize
        isDeadly = traits.contains(.deadly) && death == 0
        isPoison = isRefused || isDeadly
        slowDeliveries = !traits.contains(.slow) || isDeadly ? 0 : slowness == 0 ? 2 : slowness < 3 ? 1 : 0
        isReused = traits.contains(.ids) && reuse == 0 && !isPoison && way != .askedCommit && way != .askedRollBack
        // Beside deadly ones each has what it needs and little more, so that one that is taken along ends among the dead letters.
        deliverLimit =
            isPoison ? Self.poisonLimit : traits.contains(.deadly) ? refusals + slowDeliveries + 3 : 100
    }

    /// From 1 byte on, small ones mostly: 5 KiB on the average.
    private static func anySize(_ generator: inout SplitMix64) -> Int {
        switch Int.random(in: 0..<800, using: &generator) {
        case 0: Int.random(in: 524_288...largestBody, using: &generator)
        case 1..<9: Int.random(in: 65_536...524_288, using: &generator)
        case 9..<300: Int.random(in: 1...16, using: &generator)
        default: Int.random(in: 1...1 << Int.random(in: 4...12, using: &generator), using: &generator)
        }
    }

    package var isHalf: Bool { way != .plain }
    /// Whether its sender, or the answer to the broker's question, commits it.
    package var isToBeCommitted: Bool { way == .committed || way == .askedCommit }
}
