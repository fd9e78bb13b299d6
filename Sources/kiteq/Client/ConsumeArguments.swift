import ArgumentParser
import KiteQ
import KiteQCore

/// What `kiteq consume` is to take.
struct ConsumeArguments: ParsableArguments {
    @Option(help: "The group; its consumers share its messages.")
    var group: String

    @Option(help: "The topic.")
    var topic: String

    @Option(name: .customLong("type"), help: "Messages of this type.")
    var messageType: String?

    @Option(help: ArgumentHelp("Messages whose type this regular expression matches.", valueName: "expression"))
    var regx: String?

    @Flag(help: "Messages of every type.")
    var fanout = false

    @Option(help: ArgumentHelp("The group's messages a second. Default: the broker's.", valueName: "n"))
    var watermark = 0

    @Flag(help: "Keep no messages while no client of the group is connected.")
    var transient = false

    @Option(help: ArgumentHelp("End after so many messages.", valueName: "n"))
    var limit: Int?

    @Flag(help: "Take the place of another binding that the group has to the topic in ZooKeeper.")
    var replace = false

    @Flag(help: "Refuse every message, so that it comes again.")
    var fail = false

    @Flag(help: "Print each message as a JSON object.")
    var json = false

    func validate() throws {
        try ClientArguments.check(group, "--group")
        try ClientArguments.check(topic, "--topic")
        let ways = (messageType == nil ? 0 : 1) + (regx == nil ? 0 : 1) + (fanout ? 1 : 0)
        guard ways == 1 else { throw ValidationError("Say which messages: one of --type, --regx and --fanout.") }
        if let messageType { try ClientArguments.check(messageType, "--type") }
        if let regx { try ClientArguments.check(regx, "--regx") }
        if let limit, limit < 1 { throw ValidationError("--limit takes a number from 1.") }
        if watermark < 0 { throw ValidationError("--watermark takes a number from 0.") }
        if let rejection = BindingTable([binding]).rejected.first {
            throw ValidationError("This binding cannot be used: \(rejection.reason)")
        }
    }

    var binding: Binding {
        if fanout { return .fanout(group: group, topic: topic, watermark: watermark, persistent: !transient) }
        return Binding(
            group: group, topic: topic, messageType: regx ?? messageType ?? "", kind: regx == nil ? .direct : .regx,
            watermark: watermark, persistent: !transient)
    }

    var subscription: Subscription {
        let pattern: Subscription.Pattern =
            if fanout { .all } else if let regx { .matching(regx) } else { .messageType(messageType ?? "") }
        return Subscription(topic: topic, pattern, watermark: watermark, isPersistent: !transient)
    }
}
