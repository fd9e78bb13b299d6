@testable import KiteQCore

/// What the tables of one shard say, as far as one broker that works alone is concerned.
struct StoreModel {
    enum Row {
        case fresh(Route)
        case tracked([String: Settlement.Pending])
    }

    var rows: [Int64: (message: Message, state: Row)] = [:]

    /// Settlements that are not this broker's (any more) change nothing.
    mutating func apply(_ settlement: Settlement) {
        guard let row = rows[settlement.seq] else { return }
        if settlement.isLate {
            guard case .tracked(var known) = row.state else { return }
            for group in settlement.late { known[group] = nil }
            rows[settlement.seq] = known.isEmpty ? nil : (row.message, .tracked(known))
            return
        }
        var deliveries: [String: Settlement.Pending] = [:]
        switch row.state {
        case .fresh: guard !settlement.wasTracked else { return }
        case .tracked(let known):
            guard settlement.wasTracked, settlement.groups.allSatisfy({ known[$0]?.isHeld == true }) else { return }
            deliveries = known
        }
        for group in settlement.done + settlement.dead.map(\.group) { deliveries[group] = nil }
        for pending in settlement.pending { deliveries[pending.group] = pending }
        rows[settlement.seq] = deliveries.isEmpty ? nil : (row.message, .tracked(deliveries))
    }

    func read(_ scan: DeliveryScan, wall: Timestamp) -> DeliveryScanResult {
        var fresh: [FreshMessage] = []
        var waiting: [Int64] = []
        var due: [(at: Timestamp, seq: Int64)] = []
        for (seq, row) in rows {
            switch row.state {
            case .fresh(let route):
                if route.members.contains(where: { $0.group == scan.group }) {
                    fresh.append(.init(seq: seq, route: route))
                }
            case .tracked(let deliveries):
                guard let own = deliveries[scan.group], !own.isHeld else { continue }
                if own.dueAt == 0 { waiting.append(seq) } else if own.dueAt <= wall { due.append((own.dueAt, seq)) }
            }
        }
        if case .backlog(let after) = scan.kind {
            return .backlog(
                fresh: Array(fresh.filter { $0.seq > after }.sorted { $0.seq < $1.seq }.prefix(scan.limit)),
                waiting: Array(waiting.filter { $0 > after }.sorted().prefix(scan.limit)), limit: scan.limit)
        }
        if case .due(let upTo) = scan.kind { due += waiting.filter { $0 <= upTo }.map { (0, $0) } }
        let page = due.sorted { $0 < $1 }.prefix(scan.limit)
        return DeliveryScanResult(
            rows: page.map { .init(seq: $0.seq, kind: .tracked) }, isEnd: page.count < scan.limit)
    }

    mutating func load(_ seqs: [Int64], for group: String) -> [StoredMessage] {
        Set(seqs).sorted().compactMap { seq in
            guard let row = rows[seq] else { return nil }
            switch row.state {
            case .fresh(let route):
                return StoredMessage(seq: seq, message: row.message, state: .fresh, route: route)
            case .tracked(var deliveries):
                guard let own = deliveries[group], !own.isHeld else { return nil }
                deliveries[group] = .init(held: group, attempts: own.attempts)
                rows[seq] = (row.message, .tracked(deliveries))
                return StoredMessage(
                    seq: seq, message: row.message, state: .tracked, route: Route([]),
                    deliveries: [.init(group: group, attempts: own.attempts, dueAt: 0)])
            }
        }
    }

    func survey(wall: Timestamp) -> ShardSurvey {
        var survey = ShardSurvey()
        for (seq, row) in rows {
            guard case .tracked(let deliveries) = row.state else { continue }
            for own in deliveries.values where !own.isHeld {
                if own.dueAt == 0 { survey.waiting[own.group] = min(seq, survey.waiting[own.group] ?? .max) }
                if own.dueAt > 0, own.dueAt <= wall { survey.due.insert(own.group) }
            }
        }
        return survey
    }
}
