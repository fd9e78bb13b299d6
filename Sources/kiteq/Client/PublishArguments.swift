import ArgumentParser

/// What `kiteq publish` is to send.
struct PublishArguments: ParsableArguments {
    @Option(help: "The topic.")
    var topic: String

    @Option(name: .customLong("type"), help: "The message type.")
    var messageType: String

    @Option(help: "The publishing group; it is the one that is asked about half messages.")
    var group = "kiteq-publish"

    @Option(help: ArgumentHelp("How many times.", valueName: "n"))
    var count: Int?

    @Option(help: ArgumentHelp("Send generated bodies of this size.", valueName: "bytes"))
    var size: Int?

    @Argument(help: "The body; '-' takes each line of standard input for a message.")
    var body: String?

    @Option(help: ArgumentHelp("A property for the consumers. May be repeated.", valueName: "key=value"))
    var property: [String] = []

    @Option(
        help: ArgumentHelp("Seconds from now after which the message is dead. Default: 7 days.", valueName: "seconds"))
    var expire: Int?

    @Flag(help: "Not stored, delivered once from memory.")
    var fly = false

    @Flag(help: "Send half messages: nobody gets them before they are committed.")
    var half = false

    @Flag(help: "What becomes of the half messages: commit, roll back, or end without a word, so that the broker asks.")
    var ending: HalfEnding?

    func validate() throws {
        try ClientArguments.check(topic, "--topic")
        try ClientArguments.check(messageType, "--type")
        try ClientArguments.check(group, "--group")
        if let count, count < 1 { throw ValidationError("--count takes a number from 1.") }
        if let size, !(0...MessageSource.largest).contains(size) {
            throw ValidationError("--size takes a number from 0 to \(MessageSource.largest).")
        }
        if let expire, expire < 1 { throw ValidationError("--expire takes a number of seconds from 1.") }
        if size != nil, body != nil { throw ValidationError("Give either a body or --size.") }
        if body == "-", count != nil { throw ValidationError("--count and '-' exclude each other.") }
        if let body, body.utf8.count > MessageSource.largest {
            throw ValidationError("A body has at most \(MessageSource.largest) bytes.")
        }
        if fly, half { throw ValidationError("--fly and --half exclude each other: a fly message is never stored.") }
        if half, ending == nil { throw ValidationError("With --half say --commit, --rollback or --forget.") }
        if !half, let ending { throw ValidationError("--\(ending.rawValue) is for half messages: say --half too.") }
        _ = try properties
    }

    var source: MessageSource {
        if body == "-" { return .standardInput }
        if let size { return .generated(size: size, count: count ?? 1) }
        return .text(body ?? "hello from kiteq", count: count ?? 1)
    }

    var properties: [String: String] {
        get throws {
            var properties: [String: String] = [:]
            for text in property {
                guard let equals = text.firstIndex(of: "="), equals > text.startIndex else {
                    throw ValidationError("--property takes KEY=VALUE, not '\(text)'.")
                }
                properties[String(text[..<equals])] = String(text[text.index(after: equals)...])
            }
            return properties
        }
    }
}

/// What a producer does with its half message.
enum HalfEnding: String, EnumerableFlag, Sendable {
    case commit, rollback, forget

    static func help(for value: HalfEnding) -> ArgumentHelp? {
        switch value {
        case .commit: "Commit the half messages."
        case .rollback: "Roll the half messages back."
        case .forget: "Say nothing: the broker asks the group later."
        }
    }
}
