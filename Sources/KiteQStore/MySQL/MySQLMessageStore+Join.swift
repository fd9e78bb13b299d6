package import KiteQCore
import Logging
import MariaDB
import Synchronization

/// How a broker becomes one life in all shards: with a name that nobody else works under, and a tag that no life that is
/// remembered has.
extension MySQLMessageStore {
    /// Numbers that are tried where others join at the same time.
    private static let attempts = 30
    /// Lives that are forgotten at once where all tags are taken: the next ones to join find some, too.
    private static let forgottenAtOnce = 64
    /// Between two looks at a name.
    private static let lookInterval = Duration.milliseconds(200)

    package func join(as broker: BrokerIdentity, takingOver: Bool) async throws -> StoreEntry {
        life.withLock { $0 = Membership(broker: broker, number: 0, own: $0.own) }
        for shard in shards { shard.incarnation = 0 }
        var missing: [Int: StoreError] = [:]
        var reached = shards
        let (map, durability) = (shardMap, configuration.durability)
        _ = try await inEach(&reached, &missing) { try await $0.inspect(map, durability: durability) }
        for _ in 0..<Self.attempts {
            try await claim(broker, takingOver: takingOver, in: &reached, &missing)
            let number = try await newNumber(in: &reached, &missing)
            // Before its row is there: a reply that is lost must not make a stranger of this life.
            life.withLock { life in
                life.number = number
                life.own.insert(number)
            }
            guard try await enter(broker, as: number, in: &reached, &missing) else {
                life.withLock { $0.number = 0 }
                // Two that met should not meet again.
                try await Task.sleep(for: .milliseconds(Int.random(in: 1...200)))
                continue
            }
            CrashPoint.reached(.joined)
            let floors = try await inEach(&reached, &missing) { try await $0.highestSeq() }
            for number in missing.keys { shards[number].incarnation = 0 }
            return StoreEntry(incarnation: number, floor: floors.values.max() ?? 0, missing: missing)
        }
        throw StoreError(
            .unavailable,
            "could not join in \(Self.attempts) tries, for others join at the same time; it is tried again")
    }

    package func joinIfMissing(shard number: Int) async throws -> Int64? {
        let shard = shards[number]
        let membership = life.withLock { $0 }
        guard membership.number != 0, shard.incarnation == 0, let broker = membership.broker else { return nil }
        try await shard.inspect(shardMap, durability: configuration.durability)
        let sight = try await shard.lives(of: broker.name)
        for life in sight.lives where life.number != membership.number {
            if membership.own.contains(life.number) {
                try await shard.endOwn(life.number)
            } else if life.number < membership.number {
                _ = try await shard.end(life, at: sight.server)
            } else {
                throw StoreError(
                    .fenced, "shard \(number): a later life of the broker \(broker.name) works there, \(life.number)")
            }
        }
        do {
            try await shard.enter(broker, as: membership.number, lease: configuration.lease)
        } catch Shard.Obstacle.tagTaken {
            throw StoreError(
                .fenced,
                "shard \(number) remembers another life whose seqs end like those of incarnation \(membership.number)")
        } catch Shard.Obstacle.nameContested {
            throw StoreError(
                .unavailable, "shard \(number): another life of the broker \(broker.name) works there still")
        }
        do {
            return try await shard.highestSeq()
        } catch {
            // Not joined before its floor is known: what is stored there must be above it. To enter again is allowed.
            shard.incarnation = 0
            throw error
        }
    }

    // MARK: The name

    /// Waits until nobody works under the name, and ends what is left of earlier lives of it.
    /// - Throws: `StoreError` with `nameTaken` where somebody does.
    private func claim(
        _ broker: BrokerIdentity, takingOver: Bool, in reached: inout [Shard], _ missing: inout [Int: StoreError]
    ) async throws {
        let lease = configuration.lease
        var watches = shards.map { _ in NameWatch(duration: MonotonicTime(lease / .nanoseconds(1))) }
        var hasSaid = false
        while true {
            let own = life.withLock { $0.own }
            let sights = try await inEach(&reached, &missing) { shard in
                var sight = try await shard.lives(of: broker.name)
                for life in sight.lives where own.contains(life.number) { try await shard.endOwn(life.number) }
                sight.lives.removeAll { own.contains($0.number) }
                return sight
            }
            let now = StoreClock.monotonic()
            var isFree = true
            for (number, sight) in sights.sorted(by: { $0.key < $1.key }) {
                let lives = sight.lives.map {
                    NameWatch.Life(
                        number: $0.number, leaseUntil: $0.leaseUntil,
                        isGone: takingOver || sight.gone.contains($0.number))
                }
                switch watches[number].look(at: lives, server: sight.server, now: now) {
                case .free: break
                case .open: isFree = false
                case .taken(let incarnation):
                    // Who takes over goes on until the row holds still for a moment.
                    if takingOver { break }
                    throw StoreError(
                        .nameTaken,
                        "a broker of the name \(broker.name) works already (incarnation \(incarnation), at \(sight.address ?? "an unknown address")): stop it, give this one another name, or end it with --take-over"
                    )
                }
            }
            if isFree {
                let ended = try await inEach(&reached, &missing) { shard in
                    guard let sight = sights[shard.number] else { return true }
                    for life in sight.lives {
                        guard try await shard.end(life, at: sight.server) else { return false }
                        self.logger.notice("ended an earlier life of \(life.name) (incarnation \(life.number))")
                    }
                    return true
                }
                if ended.values.allSatisfy({ $0 }) { return }
            } else if !hasSaid, let sight = sights.values.first(where: { !$0.lives.isEmpty }) {
                hasSaid = true
                logger.notice(
                    "an earlier life of \(broker.name) (at \(sight.address ?? "an unknown address")) may still be at work: waiting until its lease is over, at most \(lease), or it is seen to renew it; --take-over does not wait"
                )
            }
            try await Task.sleep(for: Self.lookInterval)
        }
    }

    // MARK: The number

    /// A number that is larger than any, and whose tag no life has that is remembered in a shard that was reached.
    private func newNumber(in reached: inout [Shard], _ missing: inout [Int: StoreError]) async throws -> Int64 {
        for isFirst in [true, false] {
            let lives = try await inEach(&reached, &missing) { try await $0.rememberedLives() }
            let all = lives.values.reduce(into: Set<Int64>()) { $0.formUnion($1.all) }
            // The time and a part by chance: brokers that start at once seldom choose the same number.
            let wish = (reached.first?.now ?? StoreClock.wall()) * 1_000 + Int64.random(in: 0..<1_000)
            if let number = SequenceGenerator.incarnation(after: all, wish) { return number }
            guard isFirst else { break }
            let living = lives.values.reduce(into: Set<Int64>()) { $0.formUnion($1.living) }
            try await forgetSome(of: all.subtracting(living).sorted(), in: &reached, &missing)
        }
        throw StoreError(
            .unavailable,
            "the store remembers \(SequenceGenerator.tagCount) lives of brokers, as many as there can be: one that has ended keeps its place for an hour where it left messages; see which broker is started over and over"
        )
    }

    /// Lives that have left nothing are remembered for people alone. The oldest go.
    private func forgetSome(
        of ended: [Int64], in reached: inout [Shard], _ missing: inout [Int: StoreError]
    ) async throws {
        var forgotten = 0
        for number in ended where forgotten < Self.forgottenAtOnce {
            guard try await inEach(&reached, &missing, { try await $0.ownsNothing(number) }).values.allSatisfy({ $0 })
            else { continue }
            _ = try await inEach(&reached, &missing) { try await $0.forget(number) }
            forgotten += 1
        }
        if forgotten > 0 {
            logger.notice(
                "forgot the \(forgotten) oldest ended lives of brokers: all \(SequenceGenerator.tagCount) places were taken"
            )
        }
    }

    /// Enters the life in all shards or, where another has its tag or its name meanwhile, in none: false.
    private func enter(
        _ broker: BrokerIdentity, as number: Int64, in reached: inout [Shard], _ missing: inout [Int: StoreError]
    ) async throws -> Bool {
        let lease = configuration.lease
        // One after the other: two that join at once meet in the first.
        for shard in reached {
            do {
                try await shard.enter(broker, as: number, lease: lease)
                CrashPoint.reached(.joining)
            } catch is Shard.Obstacle {
                for joined in reached where joined.incarnation == number { try await joined.takeBack(number) }
                return false
            } catch let error as StoreError where error.isOutage {
                missing[shard.number] = error
            }
        }
        reached.removeAll { missing[$0.number] != nil }
        guard !reached.isEmpty else { throw Self.nothingReached(missing) }
        return true
    }

    // MARK: Shards that are away

    /// Takes a step in all shards at once. Those that are away drop out.
    /// - Throws: what is no outage; or, where all are away, why.
    private func inEach<Result: Sendable>(
        _ reached: inout [Shard], _ missing: inout [Int: StoreError],
        _ step: @escaping @Sendable (Shard) async throws -> Result
    ) async throws -> [Int: Result] {
        var results: [Int: Result] = [:]
        try await withThrowingTaskGroup(of: (Int, Swift.Result<Result, StoreError>).self) { tasks in
            for shard in reached {
                tasks.addTask {
                    do {
                        return (shard.number, .success(try await step(shard)))
                    } catch let error as StoreError where error.isOutage {
                        return (shard.number, .failure(error))
                    }
                }
            }
            for try await (number, result) in tasks {
                switch result {
                case .success(let value): results[number] = value
                case .failure(let error): missing[number] = error
                }
            }
        }
        reached.removeAll { missing[$0.number] != nil }
        guard !reached.isEmpty else { throw Self.nothingReached(missing) }
        return results
    }

    /// One sentence for all shards.
    private static func nothingReached(_ missing: [Int: StoreError]) -> StoreError {
        let errors = missing.sorted { $0.key < $1.key }.map(\.value)
        guard var first = errors.first(where: { $0.code != .refused }) ?? errors.first else {
            return StoreError(.unavailable, "no shard can be reached")
        }
        if errors.count > 1 {
            first.message +=
                errors.count == 2
                ? "; nor can the other shard be used" : "; nor can the other \(errors.count - 1) shards be used"
        }
        return first
    }
}
