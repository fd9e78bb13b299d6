/// Whether the other shards went on while one was away.
package struct ShardOutages {
    private let load: CheckedLoad
    private let faults: [FaultRecord]
    /// What is in the brokers when a shard goes has a second to come to its end, and an outage has to last for two to be looked at.
    private static let second: UInt32 = 10_000

    package init(_ load: CheckedLoad, _ faults: [FaultRecord]) {
        self.load = load
        self.faults = faults.filter {
            $0.fault.shard != nil && $0.healed >= $0.start + 3 * Self.second
        }
    }

    /// For each outage in which nothing was stored elsewhere, a sentence.
    package func silent(_ events: [HistoryEvent]) -> [String] {
        guard !faults.isEmpty else { return [] }
        var stored = Array(repeating: 0, count: faults.count)
        for event in events where event.kind == .acknowledged {
            let shard = load.shard(of: event.message)
            for (index, record) in faults.enumerated()
            where shard != record.fault.shard && event.time > record.start + Self.second && event.time < record.healed {
                stored[index] += 1
            }
        }
        return faults.indices.filter { stored[$0] == 0 }.map {
            "no other shard stored anything in \(faults[$0].fault) for "
                + "\(MessageReport.seconds(faults[$0].healed - faults[$0].start)) s"
        }
    }
}
