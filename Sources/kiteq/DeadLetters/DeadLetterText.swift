import KiteQAdminClient

/// A dead letter with its message, for people: a line for each field, then the body.
enum DeadLetterText {
    static func lines(_ detail: API.DeadLetterDetail) -> [String] {
        let letter = detail.deadLetter
        var fields = FieldList()
        fields.add("dead letter", letter.letter)
        fields.add("message id", letter.id)
        fields.add("topic", letter.topic)
        fields.add("type", letter.messageType)
        fields.add("group", letter.group.isEmpty ? "- (not committed: owed to nobody yet)" : letter.group)
        fields.add("reason", reason(letter))
        if let error = letter.lastError { fields.add("last error", error) }
        fields.add("died", Figures.time(letter.diedAt))
        fields.add("published", "\(Figures.time(letter.publishedAt)) by \(letter.publisherGroup)")
        guard let content = detail.content else {
            return fields.lines + ["", "Properties and body are not for tokens with the role counts."]
        }
        return fields.lines + [""] + ContentText.lines(content)
    }

    private static func reason(_ letter: API.DeadLetter) -> String {
        switch letter.reason {
        case "attempts": "attempts used up, \(letter.attempts) of them"
        case "expired": "expired after \(letter.attempts) attempts"
        case "undecided": "undecided: its publisher did not answer \(letter.attempts) questions"
        default: letter.reason
        }
    }
}
