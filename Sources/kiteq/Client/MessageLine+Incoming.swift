import KiteQ

extension MessageLine {
    init(_ message: IncomingMessage) {
        let body: Body
        switch message.body {
        case .text(let text): body = .text(text)
        case .bytes(let bytes): body = .bytes(bytes)
        }
        self.init(
            id: message.id, topic: message.topic, messageType: message.messageType, group: message.publisherGroup,
            created: message.createdAt,
            properties: message.properties.sorted { $0.key < $1.key }.map { ($0.key, $0.value) },
            body: body)
    }
}
