/// Which deliveries a lost connection of their consumer took along.
struct ConnectionLosses {
    private struct Seat: Hashable {
        var group: Int
        var broker: Int
        var consumer: Int
    }

    /// By consumer, in their order.
    private let times: [Seat: [UInt32]]
    /// How long an answer may be on its way to the broker, through the proxy and the broker's queue of what it has not read, and be lost: 3 s on
    /// a machine that has all to do at once.
    private static let transit: UInt32 = 30_000

    init(_ losses: [ConnectionLoss]) {
        times = Dictionary(grouping: losses) { Seat(group: $0.group, broker: $0.broker, consumer: $0.consumer) }
            .mapValues { $0.map(\.time).sorted() }
    }

    /// Whether its connection was lost, before `time`, while the delivery was open or its answer on its way.
    func took(_ delivery: MessageHistory.Delivery, before time: UInt32) -> Bool {
        let seat = Seat(group: delivery.group, broker: delivery.broker, consumer: delivery.consumer)
        guard let times = times[seat] else { return false }
        let end = delivery.end.map { UInt64($0) + UInt64(Self.transit) } ?? .max
        return times.contains {
            delivery.connected <= $0 && $0 <= time && UInt64($0) <= end && delivery.start <= $0 + Self.transit
        }
    }
}
