extension DeliveryMachine {
    enum WantedScan {
        case backlog(after: Int64)
        case due
    }

    /// The next look into a shard, if one is wanted; one at a time for each shard, the groups in turn. Each one given out
    /// must be ended by `apply` or `scanFailed`.
    package mutating func nextScan(shard: Int, now: MonotonicTime, wall: Timestamp) -> DeliveryScan? {
        guard !isScanning[shard], !isDraining, unflushed < limits.unflushed else { return nil }
        for step in groups.indices {
            let g = (scanTurn[shard] + step) % groups.count
            guard let wanted = wantsScan(g, shard: shard, now: now, wall: wall) else { continue }
            scanTurn[shard] = g + 1
            isScanning[shard] = true
            let limit = min(limits.pageRows, limits.queueLength - groups[g].queue.count)
            let kind: DeliveryScan.Kind
            switch wanted {
            case .backlog(let after):
                groups[g].shards[shard].backlog = .paging(frontier: after, isScanning: true)
                groups[g].shards[shard].overflow = .max
                groups[g].shards[shard].lastScanWasDue = false
                kind = .backlog(after: after)
            case .due:
                if groups[g].shards[shard].dueCursor == nil {
                    groups[g].shards[shard].nextDue = .max
                    groups[g].shards[shard].nextDueScan = now + limits.dueScanInterval
                }
                groups[g].shards[shard].isScanningDue = true
                groups[g].shards[shard].lastScanWasDue = true
                kind = .due(after: groups[g].shards[shard].dueCursor ?? .start)
            }
            return DeliveryScan(
                group: groups[g].name, shard: shard, kind: kind, limit: limit, groupIndex: g, epoch: groups[g].epoch)
        }
        return nil
    }

    func wantsScan(_ g: Int, shard: Int, now: MonotonicTime, wall: Timestamp) -> WantedScan? {
        guard !groups[g].isAway, groups[g].queue.count <= limits.queueLength / 2, memoryBytes < limits.memoryBytes
        else {
            return nil
        }
        let state = groups[g].shards[shard]
        let isDue = state.dueCursor != nil || state.nextDue <= wall || state.nextDueScan <= now
        if isDue && !state.lastScanWasDue { return .due }
        if case .paging(let frontier, isScanning: false) = state.backlog, state.backlogScanAfter <= now {
            return .backlog(after: frontier)
        }
        return isDue ? .due : nil
    }

    /// Of a scan's rows, the seqs whose messages are not in memory and have to be loaded.
    package func missing(_ result: DeliveryScanResult) -> [Int64] {
        result.rows.lazy.map(\.seq).filter { slotBySeq[$0] == nil && dirty[$0] == nil }
    }

    /// A scan's rows and the messages loaded for them, of those asked for.
    package mutating func apply(
        _ scan: DeliveryScan, _ result: DeliveryScanResult, loaded: [StoredMessage], asked: Set<Int64>,
        now: MonotonicTime, wall: Timestamp, _ actions: inout DeliveryActions
    ) {
        defer { endScan(scan.shard) }
        let g = scan.groupIndex
        guard groups[g].epoch == scan.epoch else { return }
        let bySeq = Dictionary(loaded.map { ($0.seq, $0) }, uniquingKeysWith: { first, _ in first })
        var cut: Int64?
        rows: for row in result.rows {
            switch attach(row, of: g, scan: scan, loaded: bySeq[row.seq], wasAsked: asked.contains(row.seq), wall: wall)
            {
            case .taken, .notOwed: continue
            case .beingWritten:
                // Its rows are found again once they are written: due ones by their time, the backlog from here on.
                if case .backlog = scan.kind {
                    cut = row.seq
                    break rows
                }
            }
        }
        switch scan.kind {
        case .backlog: endBacklogScan(g, scan.shard, result, cut: cut, now: now, wall: wall, &actions)
        case .due: endDueScan(g, scan.shard, result)
        }
        needsPump(g)
        pump(now: now, wall: wall, &actions)
    }

    /// A scan failed: it is tried again after a while.
    package mutating func scanFailed(
        _ scan: DeliveryScan, now: MonotonicTime, wall: Timestamp, _ actions: inout DeliveryActions
    ) {
        defer { endScan(scan.shard) }
        let g = scan.groupIndex
        guard groups[g].epoch == scan.epoch else { return }
        switch scan.kind {
        case .backlog(let after):
            let nothing = DeliveryScanResult(rows: [], frontier: after, isEnd: false)
            endBacklogScan(g, scan.shard, nothing, cut: nil, now: now, wall: wall, &actions)
            groups[g].shards[scan.shard].backlogScanAfter = now + limits.scanRetry * 5
        case .due:
            groups[g].shards[scan.shard].isScanningDue = false
            groups[g].shards[scan.shard].dueCursor = nil
            expectDue(g, scan.shard, at: wall + 1_000)
        }
        pump(now: now, wall: wall, &actions)
    }

    private mutating func endScan(_ shard: Int) {
        isScanning[shard] = false
        clean(settledDuringScan[shard])
        settledDuringScan[shard].removeAll(keepingCapacity: true)
    }

    private mutating func endDueScan(_ g: Int, _ shard: Int, _ result: DeliveryScanResult) {
        groups[g].shards[shard].isScanningDue = false
        groups[g].shards[shard].dueCursor = result.isEnd ? nil : result.cursor
        if result.isEnd, let nextDue = result.nextDue { expectDue(g, shard, at: nextDue) }
    }

    private mutating func endBacklogScan(
        _ g: Int, _ shard: Int, _ result: DeliveryScanResult, cut: Int64?, now: MonotonicTime, wall: Timestamp,
        _ actions: inout DeliveryActions
    ) {
        let overflow = groups[g].shards[shard].overflow
        let frontier = min(
            result.frontier, (cut ?? .max) == .max ? .max : cut! - 1, overflow == .max ? .max : overflow - 1)
        let isEnd = result.isEnd && cut == nil && overflow == .max
        if cut != nil { groups[g].shards[shard].backlogScanAfter = now + limits.scanRetry }
        groups[g].shards[shard].backlog = isEnd ? .live : .paging(frontier: frontier, isScanning: false)
        let held = groups[g].shards[shard].held
        groups[g].shards[shard].held = []
        for ref in held {
            let i = Int(ref.index)
            guard isCurrent(ref), let p = slots[i].position(of: g), slots[i].owed[p].progress == .held else { continue }
            if isEnd || slots[i].seq <= frontier {
                slots[i].owed[p].progress = .queued
                groups[g].queue.append(ref)
            } else {
                slots[i].owed[p].progress = .left
                releaseIfIdle(ref, wall: wall, now: now, &actions)
            }
        }
        needsPump(g)
    }
}
