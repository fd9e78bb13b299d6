import HTTPTypes
import KiteQBroker

/// Messages that are done, or could not be.
struct Receipts: Decodable, Sendable {
    var receipts: [String]
    var reason: String?

    private enum Key: String, CodingKey, CaseIterable { case receipts, reason }

    init(from decoder: any Decoder) throws {
        try decoder.refuseOthers(than: Key.self)
        let container = try decoder.container(keyedBy: Key.self)
        receipts = try container.decode([String].self, forKey: .receipts)
        reason = try container.decodeIfPresent(String.self, forKey: .reason)
        guard (1...1_000).contains(receipts.count) else { throw Problem(.badRequest, "receipts must be 1 to 1,000") }
        guard receipts.allSatisfy({ $0.unicodeScalars.count <= 200 }) else {
            throw Problem(.badRequest, "a receipt has at most 200 characters")
        }
        guard (reason?.unicodeScalars.count ?? 0) <= 500 else {
            throw Problem(.badRequest, "the reason has at most 500 characters")
        }
    }
}

/// What became of one.
struct SettleAnswer: Encodable, Sendable {
    enum Outcome: String, Encodable, Sendable {
        case settled
        /// Its visibility was over, or it was answered before.
        case late
        /// Not of this group.
        case unknown
        /// The broker named gave it, and only it can take it back.
        case otherBroker
    }

    var receipt: String
    var outcome: Outcome
    var broker: String?

    init(_ receipt: String, _ outcome: SettleOutcome) {
        self.receipt = receipt
        switch outcome {
        case .settled: self.outcome = .settled
        case .tooLate: self.outcome = .late
        case .notYours, .malformed: self.outcome = .unknown
        case .otherBroker(let name):
            self.outcome = .otherBroker
            broker = name
        }
    }
}
