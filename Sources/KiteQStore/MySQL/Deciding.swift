import KiteQCore

/// A batch of answers on its way through transactions, piece by piece and in its order: each is bounded in bytes, what the
/// server does not take is halved down to single answers, and no answer overtakes an earlier one to the same message.
struct Deciding {
    /// Of the first answers of the batch.
    private(set) var outcomes: [TransactionDecision.Outcome] = []
    /// Bytes of contents that may still be read.
    private(set) var contentLeft = Self.contentBytes
    /// What is not done yet; the next piece is the last.
    private var open: [[TransactionDecision]] = []
    /// Messages with an answer that was not written: what it came to, and so do those behind it.
    private var barred: [MessageID: TransactionDecision.Outcome] = [:]
    private var refusals = 0

    /// Of messages that are read for one call, or one message's.
    static let contentBytes = 16 << 20
    /// Each may have waited for a lock: then it is said what became of them.
    private static let mostRefusals = 8

    init(_ batch: [TransactionDecision]) {
        push(Self.pieces(batch))
    }

    /// What one transaction is to write next; nil at the end, and where enough was done for one call.
    mutating func next() -> [TransactionDecision]? {
        while refusals < Self.mostRefusals, contentLeft > 0, let piece = open.popLast() {
            guard let place = piece.firstIndex(where: { barred[$0.messageID] != nil }) else { return piece }
            if place > 0 {
                push([Array(piece[..<place]), Array(piece[place...])])
            } else {
                if let outcome = barred[piece[0].messageID] { outcomes.append(outcome) }
                push([Array(piece.dropFirst())])
            }
        }
        return nil
    }

    /// It is written.
    mutating func end(_ piece: [TransactionDecision], _ outcomes: [TransactionDecision.Outcome]) {
        for (decision, outcome) in zip(piece, outcomes) {
            switch outcome {
            case .unknownTopic, .notYet: barred[decision.messageID] = outcome
            default: break
            }
        }
        contentLeft -= Self.contentBytes(of: outcomes)
        self.outcomes += outcomes
    }

    /// It is larger than what a transaction writes.
    mutating func cut(_ piece: [TransactionDecision], by sizes: [MessageID: Int]) {
        push(
            Self.pieces(
                piece.map { decision in
                    var decision = decision
                    decision.bytes = decision.bytes ?? sizes[decision.messageID]
                    return decision
                }))
    }

    /// The server did not take it.
    mutating func refuse(_ piece: [TransactionDecision], _ reason: String) {
        if piece.count > 1 {
            let half = piece.count / 2
            push([Array(piece[..<half]), Array(piece[half...])])
        } else {
            refusals += 1
            end(piece, [.notYet(reason)])
        }
    }

    private mutating func push(_ pieces: [[TransactionDecision]]) {
        open += pieces.filter { !$0.isEmpty }.reversed()
    }

    // MARK: Bytes

    private static func pieces(_ batch: [TransactionDecision]) -> [[TransactionDecision]] {
        batch.pieces(bytes: Shard.transactionBytes) { weight($0, $0.bytes ?? 0) }
    }

    /// A change has the row before and after it, a removal the one before it.
    private static func weight(_ decision: TransactionDecision, _ bytes: Int) -> Int {
        decision.answer == .commit ? 2 * bytes : bytes
    }

    /// Whether one transaction may write them.
    static func fits(_ batch: [TransactionDecision], _ sizes: [MessageID: Int]) -> Bool {
        batch.reduce(0) { $0 + weight($1, $1.bytes ?? sizes[$1.messageID] ?? 0) } <= Shard.transactionBytes
    }

    static func contentBytes(of outcomes: [TransactionDecision.Outcome]) -> Int {
        outcomes.reduce(0) { sum, outcome in
            switch outcome {
            case .committed(_, _, let message?), .decidedLate(.committed(_, _, let message?)): sum + message.footprint
            default: sum
            }
        }
    }
}
