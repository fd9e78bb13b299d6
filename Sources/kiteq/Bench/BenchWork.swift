/// What is measured, against what, and what is aimed at.
enum BenchWork: String, CaseIterable, Sendable {
    case publish
    case endToEnd = "end-to-end"
    case ackLatency = "ack-latency"
    case deliveryLatency = "delivery-latency"
    case fly
    case backlog
    case snapshot
    case snapshotLatency = "snapshot-latency"
    case memory
    case idle

    /// Whether it can be measured without a database.
    var needsDatabase: Bool {
        switch self {
        case .publish, .endToEnd, .ackLatency, .deliveryLatency, .backlog, .snapshot, .snapshotLatency: true
        case .fly, .memory, .idle: false
        }
    }

    /// Those that take long are measured only where they are named.
    static var usual: [BenchWork] { allCases.filter { ![.backlog, .snapshot, .snapshotLatency].contains($0) } }

    var title: String {
        switch self {
        case .publish: "durable publishes a second"
        case .endToEnd: "published, delivered, acknowledged, deleted a second"
        case .ackLatency: "store ack p99, open loop, ms"
        case .deliveryLatency: "end-to-end p99, open loop, ms"
        case .fly: "server CPU a fly message, µs"
        case .backlog: "µs a message with a long backlog"
        case .snapshot: "end to end a second, at the end of a snapshot"
        case .snapshotLatency: "end-to-end p99, open loop, at the end of a snapshot, ms"
        case .memory: "MiB of memory with idle connections"
        case .idle: "% CPU with idle connections"
        }
    }

    var against: String {
        switch self {
        case .publish: "raw INSERT"
        case .endToEnd: "raw INSERT and DELETE"
        case .ackLatency: "single-row commit p99"
        case .deliveryLatency: "store ack p99"
        case .fly: "packet echo"
        case .backlog: "with 10,000 waiting"
        case .snapshot, .snapshotLatency: "before it"
        case .memory, .idle: ""
        }
    }

    /// What the ratio is to be; where nothing is compared, the figure.
    var target: BenchTarget {
        switch self {
        case .publish: .atLeast(0.7)
        case .endToEnd: .atLeast(0.6)
        case .ackLatency: .atMost(2)
        case .deliveryLatency: .atMost(1.5)
        case .fly: .atMost(5)
        case .backlog: .atMost(1.15)
        // INSERT and DELETE without a broker keep 0.74: that part is the server's.
        case .snapshot: .atLeast(0.67)
        case .snapshotLatency: .atMost(2)
        case .memory: .atMost(200)
        case .idle: .atMost(1)
        }
    }
}

enum BenchTarget: Sendable, CustomStringConvertible {
    case atLeast(Double)
    case atMost(Double)

    func isMet(_ value: Double) -> Bool {
        switch self {
        case .atLeast(let least): value >= least
        case .atMost(let most): value <= most
        }
    }

    var description: String {
        switch self {
        case .atLeast(let value): "at least \(text(value, 0...2))"
        case .atMost(let value): "at most \(text(value, 0...2))"
        }
    }
}

/// One round's figure of a work, and that of what it is held against.
struct BenchSample: Sendable {
    var value: Double
    var against: Double?

    /// The ratio; where nothing is compared, the figure.
    var result: Double { against.map { value / $0 } ?? value }
}
