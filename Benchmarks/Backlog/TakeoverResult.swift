/// When what happened in one variant, in the time since the kill (or since the first publish where nothing was killed).
struct TakeoverResult: Sendable {
    let variant: TakeoverVariant
    let plan: TakeoverPlan
    var deadAt: ContinuousClock.Instant?
    /// One for each shard, the first shard first.
    var leaseEnded: [Duration] = []
    var decided: Duration?
    var empty: Duration?
    var log = TakeoverLog.Contents()

    init(variant: TakeoverVariant, plan: TakeoverPlan) {
        self.variant = variant
        self.plan = plan
    }

    /// What issue 3 wants: everything committed within this time.
    static let limit: Duration = .seconds(30)

    private var unique: Set<Int> { Set(log.deliveries.map(\.number)) }
    private var lost: Int { plan.wanted.subtracting(unique).count }
    private var wrong: Int { unique.subtracting(plan.wanted).count }
    private var again: Int { log.deliveries.count - unique.count }

    var isRight: Bool {
        lost == 0 && wrong == 0 && decided != nil && empty != nil
            && (last(of: Set(plan.committed)) ?? .zero) <= Self.limit
    }

    private var after: [(number: Int, at: ContinuousClock.Instant)] { log.deliveries.filter { $0.at >= log.start } }

    /// When the last of these first came.
    private func last(of numbers: Set<Int>) -> Duration? {
        var first: [Int: ContinuousClock.Instant] = [:]
        for delivery in log.deliveries where numbers.contains(delivery.number) && first[delivery.number] == nil {
            first[delivery.number] = delivery.at
        }
        return first.values.max().map { $0 - log.start }
    }

    static func table(_ results: [TakeoverResult]) -> String {
        func row(_ name: String, _ value: (TakeoverResult) -> String) -> String {
            "| \(name) | \(results.map(value).joined(separator: " | ")) |"
        }
        func seconds(_ duration: Duration?) -> String { duration.map { ($0 / .seconds(1)).text + " s" } ?? "" }
        return [
            row("") { $0.variant.rawValue },
            "| --- |" + results.map { _ in " ---: |" }.joined(),
            row("messages, of them half") { "\($0.plan.count), \($0.plan.halves.count)" },
            row("delivered before the kill") { $0.deadAt == nil ? "" : "\($0.log.deliveries.count - $0.after.count)" },
            row("lease ended, first shard") { seconds($0.leaseEnded.first) },
            row("lease ended, last shard") { seconds($0.leaseEnded.last) },
            row("first delivered") { result in seconds(result.after.first.map { $0.at - result.log.start }) },
            row("last committed one delivered") { seconds($0.last(of: Set($0.plan.committed))) },
            row("first half one asked about") { result in
                seconds(result.log.questions.first.map { $0.at - result.log.start })
            },
            row("last half one decided") { seconds($0.decided) },
            row("last committed half one delivered") { result in
                seconds(result.last(of: result.plan.wanted.subtracting(result.plan.committed)))
            },
            row("tables empty") { seconds($0.empty) },
            row("questions") { "\($0.log.questions.count)" },
            row("lost") { "\($0.lost)" },
            row("rolled back, but delivered") { "\($0.wrong)" },
            row("delivered again") { "\($0.again)" },
        ].joined(separator: "\n")
    }
}
