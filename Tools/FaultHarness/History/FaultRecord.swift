/// A fault that was injected.
package struct FaultRecord: Sendable, Hashable {
    package var fault: PlannedFault
    /// From the last moment before it to when all served again; the history's unit, 0.1 ms.
    package var start: UInt32
    package var end: UInt32
    /// When the server was started, resumed or reachable again, before what follows from it was over.
    package var healed: UInt32
    /// Publishes that awaited their store ack, and deliveries that consumers had not answered, just before it.
    package var publishesOpen: Int
    package var deliveriesOpen: Int
    /// Of these deliveries, those of the broker that was hit; all of them where everybody was.
    package var deliveriesHit: Int
    /// Of a cluster's fault: the longest time without an accepted publish at any one broker that was not hit itself, and the longest in which
    /// nobody could have written to the cluster, from the fault until publishes were accepted everywhere; 0.1 ms.
    package var brokersGap: UInt32?
    package var clusterGap: UInt32?

    package init(
        fault: PlannedFault, start: UInt32, end: UInt32, publishesOpen: Int = 0, deliveriesOpen: Int = 0,
        deliveriesHit: Int = 0
    ) {
        self.fault = fault
        self.start = start
        self.end = end
        healed = end
        self.publishesOpen = publishesOpen
        self.deliveriesOpen = deliveriesOpen
        self.deliveriesHit = deliveriesHit
    }

    package func hits(broker: Int) -> Bool {
        switch fault.kind {
        case .databaseKill, .bothKill: true
        case .shardLock, .shardDown, .shardRestore: true
        case .zooKeeperKill: false
        case _ where fault.kind.isOfCluster: true
        default: fault.broker == broker
        }
    }
}
