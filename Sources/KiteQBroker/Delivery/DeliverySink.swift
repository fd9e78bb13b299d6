import KiteQCore

/// Where a client's deliveries go: a connection, or a pull that waits. Its methods are called from any thread.
protocol DeliverySink: AnyObject, Sendable {
    /// Takes deliveries, in the order of the calls. Does not wait: it is called under the dispatcher's lock.
    func enqueue(_ deliveries: ArraySlice<DeliveryActions.Delivery>)
    /// Sends what was enqueued.
    func flush()
}

/// One that is told who it is to the delivery machine.
protocol IdentifiedSink: DeliverySink {
    func set(_ id: DeliveryClientID)
}
