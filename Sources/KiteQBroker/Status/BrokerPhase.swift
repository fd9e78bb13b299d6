/// Where a broker is in its life.
package enum BrokerPhase: String, Sendable, Hashable {
    case serving
    /// It was told to stop, and takes itself off the registry.
    case leavingRegistry
    /// It takes nothing new, and waits for what is in flight, within a limit.
    case finishingDeliveries
    case closingConnections
    /// What is to be written of deliveries is written, within a limit.
    case writing

    package var isStopping: Bool { self != .serving }
}
