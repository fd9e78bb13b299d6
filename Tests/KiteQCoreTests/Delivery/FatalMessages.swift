@testable import KiteQCore

/// A group with one consumer, some of whose messages end it. While it is away its messages are in the store.
struct FatalMessages {
    private(set) var handled: [MessageID: Int] = [:]
    private(set) var dead = 0
    private(set) var deaths = 0
    private var h = DeliveryHarness()
    private var consumer: DeliveryClientID
    private var store: [Int64: (message: Message, attempts: Int?)] = [:]
    private var fatal: Set<MessageID> = []
    private let route = DeliveryHarness.route("a")

    /// - Parameter fatal: places among the messages.
    init(_ messages: Int, fatal places: Set<Int>, limit: Int) {
        consumer = h.liveClient("a")
        for place in 0..<messages {
            let (seq, message) = (Int64(place + 1), DeliveryHarness.message(deliverLimit: limit))
            if places.contains(place) { fatal.insert(message.id) }
            store[seq] = (message, nil)
            h.accept(seq, route, message)
        }
    }

    /// Until the group is owed nothing.
    mutating func run() {
        for _ in 0..<10_000 where !store.isEmpty {
            let sent = h.deliveries()
            if sent.contains(where: { fatal.contains($0.message.id) }) {
                deaths += 1
                h.disconnect(consumer)
                settle()
                h.pass(1_000_000_000)
                consumer = h.connect("a")
                scan()
            } else if sent.isEmpty {
                h.pass(1_000_000_000)
                h.survey(ShardSurvey(due: ["a"]))
                scan()
            } else {
                for delivery in sent {
                    handled[delivery.message.id, default: 0] += 1
                    h.acknowledge(delivery)
                }
            }
            settle()
        }
    }

    /// Nothing of what was is kept.
    var isAtRest: Bool { h.machine.groups[.first].suspects.isEmpty && h.machine.groups[.first].inFlight == 0 }

    private mutating func settle() {
        for settlement in h.settlements() {
            dead += settlement.dead.count
            if let pending = settlement.pending.first {
                store[settlement.seq]?.attempts = pending.attempts
            } else {
                store[settlement.seq] = nil
            }
        }
    }

    private mutating func scan() {
        while let scan = h.nextScan() {
            guard case .backlog(let after) = scan.kind else {
                let due = store.filter { $0.value.attempts != nil && !h.machine.slots.contains($0.key, 0) }.keys
                    .sorted()
                h.finish(
                    scan, .init(rows: due.map { .init(seq: $0, kind: .tracked) }, isEnd: true),
                    loaded: due.map {
                        StoredMessage(
                            seq: $0, message: store[$0]!.message, state: .tracked, route: Route([]),
                            deliveries: [.init(group: "a", attempts: store[$0]!.attempts!, dueAt: 0)])
                    })
                continue
            }
            let fresh = store.filter { $0.key > after && $0.value.attempts == nil }.keys.sorted()
            h.finish(
                scan, .init(rows: fresh.map { .init(seq: $0, kind: .fresh(route)) }, isEnd: true),
                loaded: fresh.map {
                    StoredMessage(seq: $0, message: store[$0]!.message, state: .fresh, route: route)
                })
        }
    }
}
