import KiteQCore

extension Pieces {
    /// Accepted, delivered, acknowledged and settled, in batches as they are under load.
    static func delivery() throws -> [Piece] {
        let route = Route([.init(group: "s-member", persistent: true)])
        let messages = try (0..<Sample.count).map { _ in try Sample.message() }
        var machine = DeliveryMachine(shards: 1)
        var actions = DeliveryActions()
        var now: MonotonicTime = 1_000_000_000
        machine.setLease(shard: 0, until: .max, now: now, wall: Sample.now, &actions)
        let client = machine.connect(group: "s-member", warmUpSeconds: 0, now: now, wall: Sample.now, &actions)
        while let scan = machine.nextScan(shard: 0, now: now, wall: Sample.now) {
            machine.apply(
                scan, DeliveryScanResult(rows: [], isEnd: true), loaded: [], asked: [], now: now, wall: Sample.now,
                &actions)
        }
        var seq: Int64 = 0
        return [
            Piece(name: "delivery machine, from accepted to settled", count: Sample.count) {
                now += 100_000_000
                var actions = DeliveryActions()
                let batch = messages.map { message in
                    seq += 1
                    return (seq: seq, message: message, route: route)
                }
                machine.accept(batch, shard: 0, now: now, wall: Sample.now, &actions)
                precondition(actions.deliveries.count == Sample.count, "all of a batch is delivered")
                machine.acknowledge(
                    actions.deliveries.map { .init(opaque: $0.opaque, isSuccess: true) }, client: client, now: now,
                    wall: Sample.now, &actions)
                machine.settled(
                    actions.settlements.map(\.settlement.seq), shard: 0, now: now, wall: Sample.now, &actions)
            }
        ]
    }
}
