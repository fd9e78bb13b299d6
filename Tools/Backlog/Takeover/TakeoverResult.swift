/// When what happened.
struct TakeoverResult: Sendable {
    /// What issue 3 wants: everything that was committed is delivered within this time.
    private static let limit: Duration = .seconds(30)

    let plan: TakeoverPlan
    /// Messages in the tables at the kill.
    var stored = 0
    var killedAt = ContinuousClock.now
    var deliveries: [(number: Int, at: ContinuousClock.Instant)] = []
    var questions: [ContinuousClock.Instant] = []
    /// No half message was left undecided.
    var decidedAt: ContinuousClock.Instant?
    var emptyAt: ContinuousClock.Instant?

    init(plan: TakeoverPlan) { self.plan = plan }

    /// Seconds from the kill to the first delivery of each of these messages, in order.
    private func times(of numbers: Set<Int>) -> [Double] {
        let firsts = Dictionary(deliveries.map { ($0.number, $0.at) }, uniquingKeysWith: min)
        return firsts.filter { numbers.contains($0.key) }.map { seconds($0.value) }.sorted()
    }

    private func seconds(_ instant: ContinuousClock.Instant) -> Double { (instant - killedAt).seconds }

    private var delivered: Set<Int> { Set(deliveries.map(\.number)) }
    private var lost: Int { plan.wanted.subtracting(delivered).count }
    private var wrong: Int { delivered.subtracting(plan.wanted).count }

    var isRight: Bool {
        lost == 0 && wrong == 0 && emptyAt != nil && (times(of: plan.committed).last ?? 0) <= Self.limit.seconds
    }

    var table: String {
        func time(_ seconds: Double?) -> String { seconds.map { $0.text + " s" } ?? "never" }
        let committed = times(of: plan.committed)
        let rows = [
            ("messages of the dead broker", "\(stored)"),
            ("of them half, not decided", "\(plan.undecided.count)"),
            ("first committed one delivered", time(committed.first)),
            ("median", time(committed.isEmpty ? nil : committed.percentile(0.5))),
            ("last", time(committed.last)),
            ("first question about a half one", time(questions.min().map(seconds))),
            ("last half one decided", time(decidedAt.map(seconds))),
            ("last of those delivered", time(times(of: plan.wanted.subtracting(plan.committed)).last)),
            ("tables empty", time(emptyAt.map(seconds))),
            ("questions", "\(questions.count)"),
            ("lost", "\(lost)"),
            ("rolled back, but delivered", "\(wrong)"),
            ("delivered again", "\(deliveries.count - delivered.count)"),
        ]
        return (["| after the kill | |", "| --- | ---: |"] + rows.map { "| \($0) | \($1) |" }).joined(separator: "\n")
    }
}
