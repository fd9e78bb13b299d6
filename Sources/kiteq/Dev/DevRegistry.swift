/// The registry's file that `kiteq dev` writes where there is none.
enum DevRegistry {
    static let demoGroup = "s-demo"
    static let demoType = "demo-paid"

    /// - Parameter topics: at least one; the first has the examples.
    static func example(broker: Endpoint, topics: [String]) -> String {
        var text = """
            # Who gets which messages. kiteq dev wrote this as an example: edit it, it is read again when it changes.

            # Where clients that are told this file (--registry file://…) find a broker.
            brokers:
              - address: "\(broker)"
                topics: [\(topics.map(quoted).joined(separator: ", "))]

            bindings:
              # Each group gets its own copy of a message, at one of its consumers.
              - groupIds: [\(quoted("s-\(topics[0])"))]
                topic: \(quoted(topics[0]))
                messageType: "pay-succ"
                bindType: "direct"    # or regx: messageType is a regular expression; or fanout: every message type
                watermark: 1000       # messages a second
                persistent: true      # kept while no consumer of the group is connected

              # For kiteq dev --demo.
              - groupIds: ["\(demoGroup)"]
                topic: \(quoted(topics[0]))
                messageType: "\(demoType)"
                bindType: "direct"

            """
        for topic in topics.dropFirst() {
            text += """

                  - groupIds: [\(quoted("s-\(topic)"))]
                    topic: \(quoted(topic))
                    bindType: "fanout"

                """
        }
        return text
    }

    /// YAML's double-quoted style is JSON's.
    private static func quoted(_ text: String) -> String { JSONText.quoted(text) }
}
