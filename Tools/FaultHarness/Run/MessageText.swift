/// The body of a message: its number and as many letters as its plan wants, so that one that was mixed up is seen. A short one is as much of
/// that as there is room for, from its end.
enum MessageText {
    static func body(_ number: UInt32, _ plan: MessagePlan) -> String {
        let head = "message \(number) "
        let letter = String(UnicodeScalar(UInt8(ascii: "a") + UInt8(number % 26)))
        let length = head.utf8.count
        if plan.size < length { return String(head.dropLast().suffix(plan.size)) }
        return head + String(repeating: letter, count: plan.size - length)
    }
}
