import KiteQBroker
import KiteQCore

extension Pieces {
    static func rules() throws -> [Piece] {
        let request = PublishRules.Request(
            id: .random(), topic: Sample.topic, messageType: Sample.messageType,
            group: "p-trade", expiredTime: -1, deliverLimit: 100, isCommitted: true, isFly: false)
        let topics = ServedTopics([Sample.topic, "feed", "notify"])
        var bindings = (0..<50).map { Binding(group: "s-\($0)", topic: Sample.topic, messageType: "type-\($0)") }
        bindings.append(Binding(group: "s-pay", topic: Sample.topic, messageType: Sample.messageType))
        bindings.append(Binding(group: "s-all", topic: Sample.topic, messageType: "pay-\\w+", kind: .regx))
        let table = BindingTable(bindings)
        let routing = Routing()
        routing.set(table, of: [Sample.topic])
        return [
            Piece(name: "publish rules", count: Sample.count) {
                for _ in 0..<Sample.count { use(PublishRules.check(request, topics: topics, now: Sample.now)) }
            },
            Piece(name: "binding match among 52, one an expression", count: Sample.count) {
                for _ in 0..<Sample.count {
                    use(table.groups(topic: Sample.topic, messageType: Sample.messageType))
                }
            },
            Piece(name: "route of a known message type", count: Sample.count) {
                for _ in 0..<Sample.count {
                    use(routing.route(topic: Sample.topic, messageType: Sample.messageType))
                }
            },
        ]
    }
}
