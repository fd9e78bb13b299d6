import KiteQCore

/// A batch in the hands of one writer: what of it is to be stored still, and what was answered although the store has not said
/// how it ended.
///
/// A publish is answered once, in time. Where its time is up while it is being stored, the answer is that nobody knows; if it is
/// stored after all, it is delivered, and not answered again.
struct PublishHand {
    /// What is to be stored, as far as it is known.
    private var open: [PendingPublish]
    /// Of these, by seq, those whose time was up while the store had them.
    private var answered: Set<Int64> = []
    /// The store has them now.
    private var isTrying = false

    /// A publish whose time is up.
    struct Late {
        var publish: PendingPublish
        /// Only the store knows what becomes of it.
        var isBeingStored: Bool
    }

    init(_ batch: [PendingPublish]) {
        open = batch
    }

    /// The store is given these.
    mutating func startTry() -> [PendingPublish] {
        isTrying = true
        return open
    }

    /// The store has answered: all of them are the caller's, but for these seqs, which were answered meanwhile.
    mutating func endTry() -> Set<Int64> {
        defer { (open, answered, isTrying) = ([], [], false) }
        return answered
    }

    /// These are to be tried again.
    mutating func keep(_ again: [PendingPublish]) { open = again }

    /// Those whose time is up, each once, to be answered by the caller. What the store does not have now is not given to it any
    /// more.
    mutating func takeLate(_ isLate: (PendingPublish) -> Bool) -> [Late] {
        let late = open.filter { !answered.contains($0.seq) && isLate($0) }
        guard !late.isEmpty else { return [] }
        if isTrying {
            answered.formUnion(late.lazy.map(\.seq))
        } else {
            open.removeAll(where: isLate)
        }
        return late.map { Late(publish: $0, isBeingStored: isTrying) }
    }
}
