import KiteQCore

extension Pieces {
    /// Accepted, delivered, acknowledged and settled, in batches as they are under load.
    static func delivery() throws -> [Piece] {
        let route = Route([.init(group: "s-member", persistent: true)])
        let messages = try (0..<Sample.count).map { _ in try Sample.message() }
        var machine = DeliveryMachine(shards: 1)
        var moment = DeliveryMoment(now: 1_000_000_000, wall: Sample.now)
        machine.setLease(shard: 0, until: .max, &moment)
        let client = machine.connect(group: "s-member", warmUpSeconds: 0, &moment)
        while let scan = machine.nextScan(shard: 0, now: moment.now) {
            machine.apply(
                scan, DeliveryScanResult(rows: [], isEnd: true), loaded: [], asked: [], &moment)
        }
        var seq: Int64 = 0
        return [
            Piece(name: "delivery machine, from accepted to settled", count: Sample.count) {
                moment = DeliveryMoment(now: moment.now + 100_000_000, wall: Sample.now)
                let batch = messages.map { message in
                    seq += 1
                    return (seq: seq, message: message, route: route)
                }
                machine.accept(batch, shard: 0, &moment)
                precondition(moment.actions.deliveries.count == Sample.count, "all of a batch is delivered")
                machine.acknowledge(
                    moment.actions.deliveries.map { .init(opaque: $0.opaque, isSuccess: true) }, client: client, &moment
                )
                machine.settled(
                    moment.actions.settlements.map(\.settlement.seq), shard: 0, &moment)
            }
        ]
    }
}
