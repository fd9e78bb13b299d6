import ArgumentParser

/// A broker that dies for good with all messages in its hands, and what the other makes of them.
struct TakeoverCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "takeover", abstract: "Kill a broker for good, and time how the other one takes over.")

    @OptionGroup var stage: StageArguments
    @Option(help: "Messages, a quarter of them half messages.")
    var messages = 2_000

    func run() async throws {
        try await Stage.run(stage, [.init(group: TakeoverRun.consumers, type: TakeoverRun.type)]) { stage in
            let run = TakeoverRun(TakeoverPlan(count: messages), stage, shards: self.stage.shards)
            let result = try await run.result()
            say(result.table)
            guard result.isRight else { throw BacklogError("lost, wrong or late messages") }
        }
    }
}

/// What is published: every fourth a half message; half of these are decided before the kill, half when somebody is asked.
struct TakeoverPlan: Sendable {
    let count: Int

    var whole: [Int] { (0..<count).filter { !isHalf($0) } }
    var halves: [Int] { (0..<count).filter(isHalf) }
    /// Those that are committed when the broker dies.
    var committed: Set<Int> { Set(whole + halves.filter(isCommittedAtOnce)) }
    /// Half messages that nobody has decided then.
    var undecided: [Int] { halves.filter { !isCommittedAtOnce($0) } }
    /// Those that have to come.
    var wanted: Set<Int> { committed.union(undecided.filter(isCommittedWhenAsked)) }

    private func isHalf(_ number: Int) -> Bool { number % 4 == 3 }
    func isCommittedAtOnce(_ number: Int) -> Bool { number / 4 % 2 == 0 }
    func isCommittedWhenAsked(_ number: Int) -> Bool { number / 8 % 2 == 0 }
}
