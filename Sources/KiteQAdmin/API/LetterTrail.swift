import KiteQCore
import Synchronization

/// Which messages an act on dead letters was about, for the audit log: the letters themselves are gone afterwards.
///
/// What fits goes into the act's own entry; of more, entries come before it, each with as many as fit.
final class LetterTrail: Sendable {
    private let action: String
    private let reason: String?
    private let auditor: Auditor
    private let context: AdminContext
    private let pending = Mutex((lines: [String](), bytes: 0, about: Set<ActScope.Pair>()))
    /// Of the whole act.
    private let about = Mutex(Set<ActScope.Pair>())

    /// An entry holds `AuditEntry.detailLimit` of JSON, in which a character may take several bytes.
    private static let limit = 6 << 10

    init(action: String, reason: String?, auditor: Auditor, context: AdminContext) {
        self.action = action
        self.reason = reason
        self.auditor = auditor
        self.context = context
    }

    /// - Parameters:
    ///   - done: what was acted on.
    ///   - known: these letters, as they were.
    func add(_ done: [DeadLetterID], _ known: [DeadLetter]) async {
        let lines = Dictionary(known.map { ($0.id, Self.line($0)) }, uniquingKeysWith: { first, _ in first })
        let pairs = Dictionary(known.map { ($0.id, Self.pair($0)) }, uniquingKeysWith: { first, _ in first })
        for id in done {
            let line = lines[id] ?? id.description
            let full = pending.withLock { pending -> (lines: [String], about: Set<ActScope.Pair>)? in
                let isFull = pending.bytes + line.utf8.count > Self.limit && !pending.lines.isEmpty
                let full = isFull ? (pending.lines, pending.about) : nil
                if isFull { pending = ([], 0, []) }
                pending.lines.append(line)
                pending.bytes += line.utf8.count + 2
                if let pair = pairs[id] { pending.about.insert(pair) }
                return full
            }
            if let pair = pairs[id] { about.withLock { _ = $0.insert(pair) } }
            if let full { await write(full.lines, full.about) }
        }
    }

    /// The rest, into the act's own entry.
    func finish(_ note: ActNote) {
        let lines = pending.withLock { $0.lines }
        if !lines.isEmpty { note.detail("letters", lines.joined(separator: "; ")) }
        // It says how many there were in all.
        note.detail(ActScope.key, ActScope.text(about.withLock { $0 }))
    }

    private func write(_ lines: [String], _ about: Set<ActScope.Pair>) async {
        var detail = ["letters": lines.joined(separator: "; ")]
        detail["reason"] = reason
        detail[ActScope.key] = ActScope.text(about)
        await auditor.write(
            action, "\(lines.count) dead letters", detail, context, outcome: "done, and it goes on")
    }

    private static func pair(_ letter: DeadLetter) -> ActScope.Pair {
        .init(topic: letter.topic, group: letter.reason == .undecided ? letter.publisherGroup : letter.group)
    }

    private static func line(_ letter: DeadLetter) -> String {
        let group = letter.group.isEmpty ? "undecided" : "for \(letter.group)"
        return "\(letter.id) \(letter.messageID) \(letter.topic)/\(letter.messageType) \(group)"
    }
}
