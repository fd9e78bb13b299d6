extension DeliveryMachine {
    /// These deliveries of a connection are being worked on: each has its whole time for an answer again, up to
    /// `DeliveryLimits.longestHandling` after it was sent. Those that are not in flight there are passed over.
    package mutating func extend(_ opaques: [UInt32], client id: DeliveryClientID, now: MonotonicTime) {
        guard let c = clients.index(of: id) else { return }
        for opaque in opaques where clients[c].window.extend(opaque, now: now, longest: limits.longestHandling) {
            counters.extended += 1
        }
    }
}
