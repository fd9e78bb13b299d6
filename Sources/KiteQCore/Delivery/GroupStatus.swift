/// A group as one broker knows it.
package struct GroupStatus: Sendable, Hashable {
    package var name: String
    /// Whether a binding names it.
    package var isBound: Bool
    /// Connections here.
    package var clients: Int
    /// Pulls that wait here.
    package var waitingPulls: Int
    /// Messages in the hands of callers that pulled them, or promised to those that wait.
    package var receipts: Int
    /// Whether it counts as here: it has connections, pulls or did pull a short while ago.
    package var isPresent: Bool
    package var isPaused: Bool
    package var inFlight: Int
    /// Messages that wait in memory.
    package var queued: Int
    /// Bytes of what is queued and in flight.
    package var bytes: Int
    /// Whether the store may hold messages for it that are not in memory: it is away or paused, or its backlog is being read.
    package var hasBacklog: Bool
    /// Age in nanoseconds of the oldest delivery that awaits its answer.
    package var oldestInFlight: MonotonicTime?
    /// Messages a second that it is sent at most.
    package var watermark: Int
    package var counters: GroupTraffic
}

extension DeliveryMachine {
    /// The groups that it knows: those that are bound, here or elsewhere, and those owed a message in memory.
    package func groupStatus(now: MonotonicTime) -> [GroupStatus] {
        var oldest: [GroupIndex: MonotonicTime] = [:]
        var connections: [GroupIndex: Int] = [:]
        for client in clients.places.lazy.map({ clients[$0] }) where client.isOpen {
            if client.pull == nil { connections[client.group, default: 0] += 1 }
            if let age = client.window.oldestAge(now: now) {
                oldest[client.group] = max(age, oldest[client.group] ?? 0)
            }
        }
        return groups.places.filter { !groups[$0].isFree }.map { g in
            let group = groups[g]
            return GroupStatus(
                name: group.name, isBound: group.isBound, clients: connections[g] ?? 0,
                waitingPulls: group.pulls.waiting, receipts: group.pulls.receipts, isPresent: !group.isAway,
                isPaused: group.isPaused, inFlight: group.inFlight, queued: group.waiting,
                bytes: slots.account(of: g).bytes,
                hasBacklog: group.shards.contains { $0.backlog != .live }, oldestInFlight: oldest[g],
                watermark: group.watermark, counters: group.counters)
        }
    }

    /// Deliveries to one client that await their answer.
    package func inFlight(of client: DeliveryClientID) -> Int {
        clients.index(of: client).map { clients[$0].window.inFlight } ?? 0
    }

    /// By topic, those that are counted apart.
    package var topicTraffic: [String: TopicTraffic] { topics.byName }

    /// These are counted apart from now on, too. What was made of their messages before stays among all others.
    package mutating func count(topics more: some Sequence<String>) { topics.add(more) }

    /// By group; cheaper than all of ``groupStatus(now:)``.
    package var groupTraffic: [String: GroupTraffic] {
        Dictionary(
            groups.known.map { ($0.name, $0.counters) }, uniquingKeysWith: { first, _ in first })
    }

    /// What is written behind of each shard.
    package var unflushedByShard: [Int] { shards.map(\.unwritten.count) }
}
