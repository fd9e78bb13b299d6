import KiteQCore

/// What somebody is told of what was refused.
enum Sentences {
    /// Of any sentence, whatever it repeats.
    private static let mostBytes = 8_000

    /// One line of bounded length, in which nothing is hidden that was not spelt out.
    static func check(_ text: String) {
        precondition(!text.isEmpty, "a refusal says why")
        precondition(text.utf8.count <= mostBytes, "a sentence has a bounded length")
        precondition(!VisibleText.needsEscapes(text), "a sentence is one line, and hides nothing")
    }
}
