@testable import KiteQCore

extension DeliveryHarness {
    /// The pull of a caller that is let in.
    mutating func pull(_ group: String, max: Int = 10, visibility: MonotonicTime = 30_000_000_000, key: UInt64 = 7)
        throws -> DeliveryClientID
    {
        try tryPull(group, max: max, visibility: visibility, key: key).get()
    }

    mutating func tryPull(
        _ group: String, max: Int = 10, visibility: MonotonicTime = 30_000_000_000, key: UInt64 = 7
    ) -> Result<DeliveryClientID, DeliveryMachine.PullRefusal> {
        machine.pull(
            group: group, max: max, visibility: visibility, key: key, &moment)
    }

    mutating func endPull(_ id: DeliveryClientID) {
        machine.endPull(id, &moment)
    }

    mutating func settle(
        _ deliveries: [DeliveryActions.Delivery], _ group: String, _ isSuccess: Bool = true, key: UInt64 = 7
    ) -> [DeliveryMachine.Settled] {
        machine.settle(
            deliveries.map { .init(client: $0.client, key: key, opaque: $0.opaque) }, group: group,
            isSuccess: isSuccess, reason: isSuccess ? nil : "not now", &moment)
    }

    mutating func setPaused(_ groups: String...) {
        machine.setPaused(Set(groups.map(BindingName.init)), &moment)
    }

    /// Groups that went since the last look.
    mutating func left() -> [String] {
        defer { actions.left = [] }
        return actions.left
    }
}
