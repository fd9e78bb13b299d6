/// Which faults could be the reason that a delivery came again.
struct FaultTimes {
    private struct Entry {
        var index: Int
        var start: UInt32
        var end: UInt32
        var losesMemory: Bool
        /// An outage of one shard is a reason in that one alone, however long it is: nobody is declared dead for it.
        var shard: Int?
        /// The latest end of this one and all before it.
        var latestEnd: UInt32
    }

    /// By broker, those that hit it and excuse duplicates, by their start.
    private let entries: [[Entry]]
    /// When each fault was over, in their order.
    private let ends: [UInt32]
    private let restores: [(shard: Int, since: UInt32, until: UInt32)]
    private let stops: [(broker: Int, start: UInt32, healed: UInt32)]
    private let pauses: [(index: Int, broker: Int, start: UInt32, healed: UInt32)]
    private let window: UInt32
    /// How long after a pause its last packets reach a consumer at the most, on a machine that has all to catch up with: 5 s.
    private static let lateness: UInt32 = 50_000
    /// From a broker's ack to a sender's note of it, at the most: 1 s.
    private static let transit: UInt32 = 10_000

    init(_ faults: [FaultRecord], window: UInt32, brokers: Int) {
        self.window = window
        ends = faults.map(\.end)
        pauses = faults.indices.filter { faults[$0].fault.kind == .brokerPause }.map {
            ($0, faults[$0].fault.broker, faults[$0].start, faults[$0].healed)
        }
        stops = faults.filter { $0.fault.kind == .brokerStop }.map { ($0.fault.broker, $0.start, $0.healed) }
        restores = faults.filter { $0.fault.kind == .shardRestore }.map { ($0.fault.shard ?? 0, $0.start, $0.healed) }
        entries = (0..<brokers).map { broker in
            var entries = faults.indices
                .filter { faults[$0].fault.kind.excusesDuplicates && faults[$0].hits(broker: broker) }
                .flatMap { Self.entries(of: faults[$0], $0) }
                .sorted { $0.start < $1.start }
            var latest: UInt32 = 0
            for index in entries.indices {
                latest = max(latest, entries[index].end)
                entries[index].latestEnd = latest
            }
            return entries
        }
    }

    private static func entries(of record: FaultRecord, _ index: Int) -> [Entry] {
        let entry = Entry(
            index: index, start: record.start, end: record.end, losesMemory: record.fault.kind.losesMemory,
            shard: record.fault.shard, latestEnd: 0)
        guard record.fault.kind == .shardRestore else { return [entry] }
        // What the shard's groups have handled since its old state comes again; and all brokers begin anew, in all shards.
        var (forgotten, anew) = (entry, entry)
        forgotten.losesMemory = true
        (anew.start, anew.losesMemory, anew.shard) = (record.healed, true, nil)
        return [forgotten, anew]
    }

    /// The fault that a message belongs to whose outcome was known at `time`: the first that was not over, or the last; nil where there is none.
    func fault(before time: UInt32) -> Int? { ends.firstIndex { $0 >= time } ?? ends.indices.last }

    /// Whether the delivery's broker was stopped in order before the consumer was done.
    func stopped(during delivery: MessageHistory.Delivery) -> Bool {
        stops.contains {
            $0.broker == delivery.broker && $0.start <= delivery.end ?? .max && delivery.start <= $0.healed
        }
    }

    /// Whether what was stored at `time` may be gone: the shard was put back to a state of before. An ack is noted somewhat later than it was
    /// given.
    func mayHaveLost(at time: UInt32, of shard: Int) -> Bool {
        restores.contains { $0.shard == shard && $0.since <= time && time <= $0.until + Self.transit }
    }

    /// The fault for which a delivery came again at `time`; nil where there is none.
    ///
    /// The first that its broker's memory was lost in, since what was open or not written then is lost with it; where there
    /// is none such, the first that kept it from being written.
    func reason(for delivery: MessageHistory.Delivery, of shard: Int, repeatedAt time: UInt32) -> (
        index: Int, start: UInt32
    )? {
        let entries = touching(delivery, of: shard).filter { $0.start <= time }
        return (entries.first(where: \.losesMemory) ?? entries.first).map { ($0.index, $0.start) }
    }

    /// The pause for which a delivery was late: decided before it, and on its way when the broker's threads went on; so it came
    /// over a connection from before. Meanwhile another broker may have made it.
    func pause(of delivery: MessageHistory.Delivery) -> (index: Int, start: UInt32, healed: UInt32)? {
        pauses.first {
            $0.broker == delivery.broker && $0.start <= delivery.start && delivery.connected <= $0.healed
                && delivery.start <= $0.healed + Self.lateness
        }.map { ($0.index, $0.start, $0.healed) }
    }

    /// The faults that found a delivery open, or answered at most the window before, or still on its way from a broker that
    /// lost its memory; by their indices.
    func mayRepeat(_ delivery: MessageHistory.Delivery, of shard: Int) -> [Int] {
        let found = touching(delivery, of: shard).filter { delivery.start <= $0.start || $0.losesMemory }.map(\.index)
        return Array(Set(found))
    }

    /// Faults of the delivery's broker, from its begin on, that found it open or answered at most the window before.
    private func touching(_ delivery: MessageHistory.Delivery, of shard: Int) -> [Entry] {
        guard delivery.broker < entries.count else { return [] }
        let entries = entries[delivery.broker]
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].latestEnd < delivery.start { low = middle + 1 } else { high = middle }
        }
        let latest = delivery.end.map { $0.addingReportingOverflow(window) }.map {
            $0.overflow ? .max : $0.partialValue
        }
        var found: [Entry] = []
        for entry in entries[low...] {
            if entry.start > latest ?? .max { break }
            if entry.end >= delivery.start, entry.shard ?? shard == shard { found.append(entry) }
        }
        return found
    }
}
