import HTTPTypes
import KiteQCore

/// Bindings of a group.
struct SubscribeRequest: Decodable, Sendable {
    struct Item: Decodable, Sendable {
        var topic: String
        var messageType: String
        var kind: BindKindName
        var watermark: Int?
        var persistent: Bool

        private enum Key: String, CodingKey, CaseIterable { case topic, messageType, kind, watermark, persistent }

        init(from decoder: any Decoder) throws {
            try decoder.refuseOthers(than: Key.self)
            let container = try decoder.container(keyedBy: Key.self)
            topic = try container.decode(Name.self, forKey: .topic).text
            messageType = try container.decodeIfPresent(String.self, forKey: .messageType) ?? ""
            kind = try container.decodeIfPresent(BindKindName.self, forKey: .kind) ?? .direct
            watermark = try container.decodeIfPresent(Int.self, forKey: .watermark)
            persistent = try container.decodeIfPresent(Bool.self, forKey: .persistent) ?? true
            guard messageType.utf8.count <= 255 else {
                throw DecodingError.dataCorruptedError(
                    forKey: .messageType, in: container, debugDescription: "at most 255 bytes")
            }
            guard kind == .fanout || !messageType.isEmpty else {
                throw DecodingError.dataCorruptedError(
                    forKey: .messageType, in: container, debugDescription: "only a fanout binding has none")
            }
            guard (1...10_000_000).contains(watermark ?? 1) else {
                throw DecodingError.dataCorruptedError(
                    forKey: .watermark, in: container, debugDescription: "from 1 to 10,000,000")
            }
        }

        func binding(of group: String) -> Binding {
            Binding(
                group: group, topic: topic, messageType: messageType, kind: kind.kind, watermark: watermark ?? 0,
                persistent: persistent)
        }
    }

    var bindings: [Item]

    private enum Key: String, CodingKey, CaseIterable { case bindings }

    init(from decoder: any Decoder) throws {
        try decoder.refuseOthers(than: Key.self)
        bindings = try decoder.container(keyedBy: Key.self).decode([Item].self, forKey: .bindings)
        guard (1...1_000).contains(bindings.count) else { throw Problem(.badRequest, "bindings must be 1 to 1,000") }
    }
}
