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

    package init(kind: FaultKind, broker: Int, delay: Duration, outage: Duration, crashPoint: String = "") {
        self.kind = kind
        self.broker = broker
        self.delay = delay
        self.outage = outage
        self.crashPoint = crashPoint
    }
}
