/// The body of a message: its number and as many letters as its plan wants, so that one that was mixed up is seen.
enum MessageText {
    static func body(_ number: UInt32, _ plan: MessagePlan) -> String {
        let head = "message \(number) "
        let letter = String(UnicodeScalar(UInt8(ascii: "a") + UInt8(number % 26)))
        return head + String(repeating: letter, count: max(0, plan.size - head.utf8.count))
    }
}
