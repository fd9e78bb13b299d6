import KiteQ

/// What is published: every fourth a half message, every second of these rolled back.
struct TakeoverPlan: Sendable {
    let count: Int

    var committed: [Int] { (0..<count).filter { !isHalf($0) } }
    var halves: [Int] { (0..<count).filter { isHalf($0) } }
    /// Those that have to come.
    var wanted: Set<Int> { Set(committed).union(halves.filter { decision($0) == .commit }) }

    func isHalf(_ number: Int) -> Bool { number % 4 == 3 }

    /// What its producer answers when it is asked.
    func decision(_ number: Int) -> TransactionDecision { number / 4 % 2 == 0 ? .commit : .rollBack }

    func message(_ number: Int) -> OutgoingMessage {
        var message = OutgoingMessage(topic: Stage.topic, messageType: TakeoverRun.type, text: "\(number)")
        message.properties = ["number": "\(number)"]
        return message
    }
}
