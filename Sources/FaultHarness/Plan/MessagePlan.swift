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

    package static let poisonLimit = 5

    package init(seed: UInt64, number: UInt32) {
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
        isPoison = Int.random(in: 0..<400, using: &generator) == 0
        size =
            Int.random(in: 0..<500, using: &generator) == 0
            ? Int.random(in: 8_192...65_536, using: &generator) : Int.random(in: 16...300, using: &generator)
    }

    package var isHalf: Bool { way != .plain }
    /// Whether its sender, or the answer to the broker's question, commits it.
    package var isToBeCommitted: Bool { way == .committed || way == .askedCommit }
}
