import SeededRandom

/// The faults of a run, in their order: a pure function of the seed and of what is asked for.
///
/// Where each kind has a count, these are shuffled and the sequence ends. Where one has none, the sequence has no end: the run
/// ends by the clock.
package struct FaultSchedule: Sequence, IteratorProtocol, Sendable {
    /// A kind, and how many of it; nil: as many as there is time for.
    package typealias Wish = (kind: FaultKind, count: Int?)

    private var generator: SplitMix64
    private let endless: [FaultKind]
    private var counted: [FaultKind]
    private let brokers: Int
    private let lease: Duration
    private let shards: Int
    private let crashPoints: [CrashTarget]
    private var nextCrashPoint = 0

    /// - Parameters:
    ///   - lease: of the brokers; a pause is 1.5 to 3 times that.
    ///   - crashPoints: taken in turn, each as often as the others.
    package init(
        seed: UInt64, wishes: [Wish], brokers: Int, lease: Duration, shards: Int = 2,
        crashPoints: [CrashTarget] = CrashTarget.all
    ) {
        generator = SplitMix64(seed: seed)
        self.brokers = brokers
        self.lease = lease
        self.shards = shards
        self.crashPoints = crashPoints
        endless = wishes.contains { $0.count == nil } ? wishes.map(\.kind) : []
        counted = []
        if endless.isEmpty {
            for wish in wishes { counted += repeatElement(wish.kind, count: wish.count ?? 0) }
            counted.shuffle(using: &generator)
            counted.reverse()  // Taken from the end.
        }
    }

    package mutating func next() -> PlannedFault? {
        guard let kind = counted.popLast() ?? endless.randomElement(using: &generator) else { return nil }
        let broker = Int.random(in: 0..<brokers, using: &generator)
        let delay = milliseconds(0...400)
        let outage: Duration =
            switch kind {
            case .brokerKill, .brokerStop, .crashPoint: absence
            case .brokerPause: lease * Double.random(in: 1.5...3, using: &generator)
            case .databaseKill, .bothKill, .databaseCut: milliseconds(0...6_000)
            case .databaseSilence: milliseconds(500...8_000)
            case .zooKeeperKill, .zooKeeperCut: milliseconds(0...8_000)
            case .shardLock, .shardDown: milliseconds(500...10_000)
            // How old the state is that comes back.
            case .shardRestore: milliseconds(500...8_000)
            // How long it is looked at before the next fault.
            case .clockWrong: milliseconds(1_000...4_000)
            case .nameTwice: .zero
            // Until whoever watches the writer acts; what the others of a cluster do takes its own time.
            case .writerKill, .twoWritable: .seconds(2)
            case .writerStop, .switchWriter, .rollingRestart: .zero
            case .writerPause: .seconds(20)
            case .writerPartition: .seconds(25)
            case .readOnly: .seconds(10)
            case .staleReplica: .seconds(3)
            // The broker's.
            case .rack: lease * Double.random(in: 2...4, using: &generator)
            }
        var fault = PlannedFault(kind: kind, broker: broker, delay: delay, outage: outage)
        if kind == .crashPoint, !crashPoints.isEmpty {
            let target = crashPoints[nextCrashPoint % crashPoints.count]
            nextCrashPoint += 1
            fault.crashPoint = "\(target.name):\(Int.random(in: target.occasions, using: &generator))"
        }
        if kind == .clockWrong { fault.lead = lead }
        if kind.isOfShard { fault.shard = Int.random(in: 0..<shards, using: &generator) }
        return fault
    }

    /// Of a clock: minutes, hours or up to a month, ahead or behind; one time in five none.
    private var lead: Duration {
        mutating get {
            let ranges = [0...0, 120...3_600, 3_600...86_400, 86_400...691_200, 691_200...2_678_400]
            let seconds = Int.random(in: ranges[Int.random(in: 0..<ranges.count, using: &generator)], using: &generator)
            return .seconds(Bool.random(using: &generator) ? seconds : -seconds)
        }
    }

    /// Of a broker. Where there are others, it is often away for so long that they take over what it left.
    private var absence: Duration {
        mutating get {
            if brokers > 1, Int.random(in: 0..<3, using: &generator) == 0 {
                return lease * Double.random(in: 1...3, using: &generator)
            }
            return milliseconds(0...800)
        }
    }

    private mutating func milliseconds(_ range: ClosedRange<Int>) -> Duration {
        .milliseconds(Int.random(in: range, using: &generator))
    }
}
