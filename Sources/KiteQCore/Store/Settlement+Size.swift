/// How much a settlement writes, and how one that is too much for a transaction is written in steps.
extension Settlement {
    /// A delivery row beside its group's name and the error.
    private static let rowBytes = 64
    /// A delivery row that goes is logged with an error that nobody here knows.
    private static let goneRowBytes = 512

    /// About what the server writes for it, in tables and logs.
    ///
    /// - Parameter message: bytes of the message.
    package func writtenBytes(message: Int) -> Int {
        var bytes = dead.count * message
        // A row that changes is logged as it was and as it is, one that goes as it was.
        if !pending.isEmpty {
            if !wasTracked { bytes += 2 * message }
        } else {
            bytes += message
        }
        bytes += pending.reduce(0) { $0 + Self.rowBytes + $1.group.utf8.count + ($1.lastError?.utf8.count ?? 0) }
        if wasTracked { bytes += (done.count + dead.count) * Self.goneRowBytes }
        return bytes
    }

    /// The same in steps with at most so many dead letters each, to be applied in this order, each for itself.
    ///
    /// After each step the store says what is still to be done: a fresh message is tracked by the first one, with a row for
    /// each group whose letter is not written yet; its row goes with the last letter. So a broker that dies between two
    /// steps leaves deliveries, as it does where it dies before the only one, and never loses one. A step that was applied
    /// changes nothing when it is applied again: its groups have no rows any more.
    package func steps(letters limit: Int) -> [Settlement] {
        precondition(limit > 0, "a step has at least one letter")
        guard dead.count > limit else { return [self] }
        var steps: [Settlement] = []
        for start in stride(from: 0, to: dead.count, by: limit) {
            let letters = Array(dead[start..<min(start + limit, dead.count)])
            steps.append(Settlement(seq: seq, bytes: bytes, wasTracked: true, dead: letters))
        }
        steps[0].wasTracked = wasTracked
        steps[0].done = done
        steps[0].pending = pending
        if !wasTracked {
            steps[0].pending += dead[limit...].map { Pending(held: $0.group, attempts: $0.attempts) }
        }
        return steps
    }

    /// One settlement in place of the last steps of one: what is left where the steps before them are written.
    package init?(rest steps: some Collection<Settlement>) {
        guard var rest = steps.first else { return nil }
        let letters = steps.flatMap(\.dead)
        if !rest.wasTracked {
            // Those that would have waited for their letter.
            let waiting = Set(letters.map { BindingName($0.group) })
            rest.pending.removeAll { waiting.contains(BindingName($0.group)) }
        }
        rest.dead = letters
        self = rest
    }
}
