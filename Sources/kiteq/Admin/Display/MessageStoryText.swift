import KiteQAdminClient
import KiteQCore

/// One message and what happened to it, for people.
struct MessageStoryText {
    let id: String
    let story: API.MessageStory

    /// - Parameter width: of tables; the message's own fields and its body are whole.
    func lines(width: Int?) -> [String] {
        var lines = fields.lines
        if !story.groups.isEmpty { lines += [""] + groups.lines(width: width) }
        if !story.deadLetters.isEmpty { lines += [""] + DeadLetterTable.table(story.deadLetters).lines(width: width) }
        if !story.events.isEmpty {
            lines.append("")
            lines += story.events.map { event in
                "\(Figures.time(event.at))  \(event.isExpected ? "expected: " : "")\(VisibleText.escaped(event.text))"
            }
        }
        if let content = story.content { lines += [""] + ContentText.lines(content) }
        return lines
    }

    private var fields: FieldList {
        var fields = FieldList()
        fields.add("message id", id)
        if let message = story.message {
            fields.add("topic", message.topic)
            fields.add("type", message.messageType)
            fields.add("state", message.state)
            fields.add("published", "\(Figures.time(message.publishedAt)) by \(message.publisherGroup)")
            fields.add("accepted", Figures.time(message.acceptedAt))
            fields.add("expires", message.expiresAt.map(Figures.time) ?? "never")
            fields.add("attempts", "up to \(message.deliverLimit) for each group")
            fields.add("shard", "\(message.shard)")
        } else {
            fields.add("state", "no longer among the messages that are not done")
        }
        if let decision = story.transaction {
            var text = "\(decision.outcome), asked \(decision.checks) times"
            if let next = decision.nextCheckAt { text += ", next \(Figures.time(next))" }
            if let decided = decision.decidedAt { text += ", \(Figures.time(decided))" }
            fields.add("transaction", text)
        }
        return fields
    }

    private var groups: TextTable {
        var table = TextTable([
            .text("GROUP"), .text("STATE"), .text("BROKER"), .number("ATTEMPTS"), .text("DUE"), .text("LAST ERROR"),
        ])
        for group in story.groups {
            table.add([
                group.group, group.state, group.broker ?? "", "\(group.attempts)",
                group.dueAt.map(Figures.time) ?? "", group.lastError ?? "",
            ])
        }
        return table
    }
}
