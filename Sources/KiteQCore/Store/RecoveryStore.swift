/// Brings messages from the store back to memory.
package protocol RecoveryStore: Sendable {
    /// Messages above `after` that are fresh and owed to `group`, oldest first, at most `limit`: this incarnation's and, with
    /// `includingDead`, those of dead ones. Fewer than `limit` means that there are no more now.
    func freshBacklog(
        of group: String, shard: Int, after: Int64, limit: Int, includingDead: Bool
    ) async throws -> [FreshMessage]

    /// The seqs of delivery rows of `group` that are nobody's, at most `limit`, in the order of the range.
    func deliveries(of group: String, shard: Int, in range: DeliveryRange, limit: Int) async throws -> [Int64]

    /// Loads messages by seq, ascending, for a group that is to work on them: takes fresh ones whose owner is dead, and of
    /// tracked ones the row of the group where it is nobody's. What is gone, half, or another broker's is left out; the
    /// deliveries of a tracked one are the group's alone.
    ///
    /// - Parameter maxBytes: of the messages together (their footprints), or the first of them if it is larger. Their sizes are
    ///   looked at before any is taken or read.
    /// - Returns: the messages, and how many of `seqs`, from the first on, were looked for; the others were left alone.
    func load(
        _ seqs: [Int64], for group: String, shard: Int, maxBytes: Int
    ) async throws -> (messages: [StoredMessage], count: Int)

    /// Rows above this seq that are this broker's, by seq, at most `limit`.
    func heldDeliveries(shard: Int, after: Int64, limit: Int) async throws -> [HeldDelivery]

    /// This incarnation's fresh messages that are owed to any of these groups, from behind a place on; looks at `limit` messages
    /// and routes, and says where to go on (nil at the end).
    func ownFresh(
        of groups: Set<BindingName>, shard: Int, after place: FreshPlace?, limit: Int
    ) async throws -> (messages: [FreshMessage], next: FreshPlace?)
}

/// Which delivery rows of a group to read.
package enum DeliveryRange: Sendable, Hashable {
    /// Rows with due_at 0 above this seq, by seq.
    case waiting(after: Int64)
    /// Rows with a due_at from 1 up to `now`, or later than `latest`, by (due_at, seq). Held rows are not among them.
    case due(now: Timestamp, latest: Timestamp = .max)
}
