extension DeliveryMachine {
    /// The next look into a shard, if one is wanted; one at a time for each shard, the groups in turn. Each one given out
    /// must be ended by `apply` or `scanFailed`.
    package mutating func nextScan(shard: Int, now: MonotonicTime) -> DeliveryScan? {
        guard !shards[shard].isScanning, !isDraining, !isStopped(shard, now: now) else { return nil }
        if let kind = wantedOrphans(shard, now: now) ?? wantedStrays(shard, now: now) {
            shards[shard].beginScan()
            return DeliveryScan(
                group: "", shard: shard, kind: kind, limit: limits.pageRows, maxBytes: 0, groupIndex: nil, epoch: 0)
        }
        for step in 0..<groups.count {
            let g = GroupIndex(value: (shards[shard].scanTurn + step) % groups.count)
            guard let kind = wantedScan(g, shard: shard, now: now) else { continue }
            shards[shard].scanTurn = g.value + 1
            shards[shard].beginScan()
            switch kind {
            case .backlog(let after), .handOver(let after):
                groups[g].shards[shard].backlog = .paging(frontier: after, isScanning: true)
                groups[g].shards[shard].overflow = .max
                groups[g].shards[shard].lastScanWasDue = false
            case .due, .orphans, .strays:
                groups[g].shards[shard].isDue = false
                groups[g].shards[shard].lastScanWasDue = true
            }
            return DeliveryScan(
                group: groups[g].name, shard: shard, kind: kind,
                limit: min(limits.pageRows, limits.queueLength - groups[g].queue.count),
                maxBytes: max(1, min(limits.pageBytes, room(g) / shards.count)), groupIndex: g,
                epoch: groups[g].shards[shard].epoch)
        }
        return nil
    }

    /// What to look for of a group, if anything.
    func wantedScan(_ g: GroupIndex, shard: Int, now: MonotonicTime) -> DeliveryScan.Kind? {
        let state = groups[g].shards[shard]
        var backlogAfter: Int64?
        if case .paging(let frontier, isScanning: false) = state.backlog, state.backlogScanAfter <= now {
            backlogAfter = frontier
        }
        guard !groups[g].isAway else { return backlogAfter.map { .handOver(after: $0) } }
        guard !groups[g].isPaused else { return nil }
        guard groups[g].queue.count < limits.queueLength, room(g) > 0 else { return nil }
        let due = DeliveryScan.Kind.due(waitingUpTo: state.seenUpTo)
        // Half of what it may have is free again: pages are not read for a message or two. A queue that new messages keep at more
        // than that for ever is no reason for what is due to wait as long.
        guard groups[g].queue.count <= limits.queueLength / 2, room(g) >= slots.account(of: g).bytes else {
            return state.isDue && now - state.dueSince >= limits.dueWait ? due : nil
        }
        if state.isDue && !(state.lastScanWasDue && backlogAfter != nil) { return due }
        return backlogAfter.map { .backlog(after: $0) }
    }

    private func wantedOrphans(_ shard: Int, now: MonotonicTime) -> DeliveryScan.Kind? {
        shards[shard].orphans.nextPage(now: now).map { .orphans(after: $0) }
    }

    /// Of groups that page all but the first rows are in the store alone, and are read anyway.
    private func wantedStrays(_ shard: Int, now: MonotonicTime) -> DeliveryScan.Kind? {
        guard shards[shard].strays.isDue(now: now) else { return nil }
        let live = groups.known.filter { $0.shards[shard].backlog == .live }.map { BindingName($0.name) }
        return .strays(of: Set(live), after: shards[shard].strays.place)
    }

    /// Of a scan's rows, the seqs whose messages have to be loaded: those that are not in memory, and those whose row the
    /// group has to take first. What is being written is left alone: a write that is repeated, its reply lost, would take a row
    /// that was taken again for the one it is to let go.
    package func missing(_ scan: DeliveryScan, _ result: DeliveryScanResult) -> [Int64] {
        switch scan.kind {
        case .handOver, .orphans, .strays: return []
        case .backlog, .due: break
        }
        guard let g = scan.groupIndex else { return [] }
        return result.rows.lazy.filter { row in
            switch row.kind {
            case .fresh: !slots.contains(row.seq, scan.shard) && !shards[scan.shard].unwritten.contains(row.seq)
            case .tracked:
                !isWorkedOn(row.seq, scan.shard, by: g) && !shards[scan.shard].unwritten.contains(row.seq)
            case .held: false
            }
        }.map(\.seq)
    }

    func isWorkedOn(_ seq: Int64, _ shard: Int, by g: GroupIndex) -> Bool {
        guard let ref = slots.ref(of: seq, shard) else { return false }
        return slots[ref].owed.contains { $0.group == g && $0.isActive }
    }

    /// A scan's rows and the messages loaded for them, of those asked for.
    package mutating func apply(
        _ scan: DeliveryScan, _ result: DeliveryScanResult, loaded: [StoredMessage], asked: Set<Int64>,
        _ moment: inout DeliveryMoment
    ) {
        defer { endScan(scan.shard, &moment) }
        switch scan.kind {
        case .orphans: releaseOrphans(scan.shard, result, &moment)
        case .strays: rereadStrays(scan.shard, result, &moment)
        case .handOver:
            if let g = scan.groupIndex { handOver(scan, of: g, result, &moment) }
        case .backlog, .due:
            if let g = scan.groupIndex { attach(scan, of: g, result, loaded, asked, &moment) }
        }
        pump(&moment)
    }

    private mutating func attach(
        _ scan: DeliveryScan, of g: GroupIndex, _ result: DeliveryScanResult, _ loaded: [StoredMessage],
        _ asked: Set<Int64>, _ moment: inout DeliveryMoment
    ) {
        guard groups[g].shards[scan.shard].epoch == scan.epoch else {
            // The group has gone meanwhile. Fresh messages stay where they are; rows that were taken are let go.
            for message in loaded {
                for row in message.deliveries where message.state == .tracked {
                    release(message.seq, of: row.group, attempts: row.attempts, shard: scan.shard, &moment)
                }
                drop(message, scan.shard, &moment)
            }
            return
        }
        let bySeq = Dictionary(loaded.map { ($0.seq, $0) }, uniquingKeysWith: { first, _ in first })
        var cut: Int64?
        for row in result.rows {
            let message = bySeq[row.seq]
            // Beyond what is still being written only rows that were taken already are.
            if cut != nil, row.kind != .tracked, message?.state != .tracked {
                if let message { drop(message, scan.shard, &moment) }
                continue
            }
            let attached = attach(
                row, of: g, shard: scan.shard, loaded: message, wasAsked: asked.contains(row.seq), &moment)
            if case .beingWritten = attached, cut == nil { cut = row.seq }
        }
        if case .due = scan.kind {
            if !result.isEnd { groups[g].shards[scan.shard].isDue(since: moment.now) }
        } else {
            endPage(g, scan.shard, result, cut: cut, &moment)
        }
        needsPump(g)
    }

    /// A message that was loaded does not go to memory. If it is fresh, loading may have taken it from a dead broker: the groups
    /// that believe to know all that is this broker's learn of it by reading again.
    private mutating func drop(_ message: StoredMessage, _ shard: Int, _ moment: inout DeliveryMoment) {
        guard message.state == .fresh else { return }
        for member in message.route.members {
            if let g = groups.index(of: member.group) { reread(g, shard, from: message.seq, &moment) }
        }
    }

    /// A scan failed: it is tried again after a while. What it may have taken is for the shell to have reread.
    package mutating func scanFailed(_ scan: DeliveryScan, _ moment: inout DeliveryMoment) {
        defer { endScan(scan.shard, &moment) }
        let shard = scan.shard
        switch scan.kind {
        case .orphans:
            shards[shard].orphans.fail(until: moment.now + limits.scanRetry * 5)
        case .strays:
            shards[shard].strays.fail(until: moment.now + limits.scanRetry * 5)
        case .backlog(let after), .handOver(let after):
            guard let g = scan.groupIndex, groups[g].shards[shard].epoch == scan.epoch else { return }
            let nothing = DeliveryScanResult(rows: [], frontier: after, isEnd: false)
            endPage(g, shard, nothing, cut: nil, &moment)
            groups[g].shards[shard].backlogScanAfter = moment.now + limits.scanRetry * 5
        case .due:
            // The next survey says again that rows are due.
            break
        }
        pump(&moment)
    }

    private mutating func endScan(_ shard: Int, _ moment: inout DeliveryMoment) {
        for seq in shards[shard].endScan() { reread(shard: shard, from: seq, &moment) }
    }

    /// A page of backlog was seen: what was accepted meanwhile is within it, or left to the next.
    mutating func endPage(
        _ g: GroupIndex, _ shard: Int, _ result: DeliveryScanResult, cut: Int64?, _ moment: inout DeliveryMoment
    ) {
        let overflow = groups[g].shards[shard].overflow
        let frontier = min(
            result.frontier, (cut ?? .max) == .max ? .max : cut! - 1, overflow == .max ? .max : overflow - 1)
        let isEnd = result.isEnd && cut == nil && overflow == .max
        if cut != nil { groups[g].shards[shard].backlogScanAfter = moment.now + limits.scanRetry }
        groups[g].shards[shard].backlog = isEnd ? .live : .paging(frontier: frontier, isScanning: false)
        let held = groups[g].shards[shard].held
        groups[g].shards[shard].held = []
        for ref in held {
            guard slots.isCurrent(ref), let p = slots[ref].position(of: g), slots[ref].owed[p].progress == .held else {
                continue
            }
            if isEnd || slots[ref].seq <= frontier {
                slots.setProgress(.queued, p, of: ref)
                groups[g].queue.append(ref)
            } else if slots[ref].isTracked {
                // Its row says that it is in memory: the store learns that it is not.
                postpone(ref, p, error: "the group's queue was full", &moment)
            } else {
                slots.setProgress(.left, p, of: ref)
                releaseIfIdle(ref, &moment)
            }
        }
        needsPump(g)
    }
}
