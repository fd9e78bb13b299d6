/// One fault as the schedule has it: nothing of it depends on how the run goes.
package struct PlannedFault: Sendable, Hashable {
    package var kind: FaultKind
    /// The broker that it hits, from 0. The database and ZooKeeper are everybody's.
    package var broker: Int
    /// From when there is enough load to the fault.
    package var delay: Duration
    /// How long the server stays away.
    package var outage: Duration
    /// Where a broker kills itself, as `name:count`; "" for other kinds.
    package var crashPoint = ""
    /// How far a broker's clock is set ahead of the right one.
    package var lead: Duration = .zero
    /// The shard that it hits; nil: all of them.
    package var shard: Int?

    package init(kind: FaultKind, broker: Int, delay: Duration, outage: Duration, crashPoint: String = "") {
        self.kind = kind
        self.broker = broker
        self.delay = delay
        self.outage = outage
        self.crashPoint = crashPoint
    }
}

extension PlannedFault: CustomStringConvertible {
    /// Its kind and what it hits.
    package var description: String {
        let place =
            shard.map { "shard \($0)" } ?? (kind.isOfCluster && kind != .rack ? "the writer" : "broker \(broker)")
        let point = crashPoint.isEmpty ? "" : " at \(crashPoint)"
        let clock = kind == .clockWrong ? ", \(lead.components.seconds) s ahead" : ""
        return "\(kind.rawValue) of \(place)\(point)\(clock)"
    }
}
