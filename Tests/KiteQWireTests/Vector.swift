import Foundation
import KiteQWire
import NIOCore
import Testing

/// A packet recorded off one of KiteQ's own clients, with the fields it decodes to.
struct Vector: Decodable, Sendable, CustomTestStringConvertible {
    var client: String
    var framing: String
    var direction: String
    var what: String
    var hex: String
    var decoded: Decoded

    struct Decoded: Decodable, Sendable {
        var opaque: Int32
        var command: UInt8
        var version: Int16
        var `extension`: Int64
        var bodyLength: Int32
        var body: Body
    }

    /// The fields of all eight bodies; which ones are there depends on the command.
    struct Body: Decodable, Sendable {
        var version: Int64?
        var groupId: String?
        var secretKey: String?
        var warmingupSec: Int32?
        var status: Status?
        var feedback: String?
        var messageId: String?
        var topic: String?
        var messageType: String?
        var header: Header?
        var body: String?
    }

    struct Header: Decodable, Sendable {
        var messageId: String
        var topic: String
        var messageType: String
        var expiredTime: Int64
        var deliverLimit: Int32
        var groupId: String
        var commit: Bool
        var fly: Bool
        var createTime: Int64?
        var snappy: Bool?
        var properties: [Entry]?
    }

    struct Entry: Decodable, Sendable {
        var key: String
        var value: String
    }

    /// An ack's is a boolean, a transaction's a number.
    enum Status: Decodable, Sendable, Equatable {
        case flag(Bool)
        case number(Int32)

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let flag = try? container.decode(Bool.self) {
                self = .flag(flag)
            } else {
                self = .number(try container.decode(Int32.self))
            }
        }
    }

    var testDescription: String { "\(client) \(direction) \(what)" }

    var wireFraming: Framing { framing == "plain" ? .plain : .lengthPrefixed }

    var packet: ByteBuffer { ByteBuffer(hex: hex) }

    /// The message's own bytes: text as it is, anything else as "hex:…".
    var messageBytes: ByteBuffer {
        guard let text = decoded.body.body else { return ByteBuffer() }
        return text.hasPrefix("hex:") ? ByteBuffer(hex: String(text.dropFirst(4))) : ByteBuffer(string: text)
    }

    static let all: [Vector] = ["go", "java", "php"].flatMap(load)

    static func of(_ commands: Command...) -> [Vector] {
        all.filter { commands.contains(Command(rawValue: $0.decoded.command)) }
    }

    private static func load(_ client: String) -> [Vector] {
        guard let url = Bundle.module.url(forResource: client, withExtension: "jsonl", subdirectory: "Resources") else {
            fatalError("The test's resources lack \(client).jsonl.")
        }
        do {
            return try String(contentsOf: url, encoding: .utf8).split(separator: "\n").map { line in
                try JSONDecoder().decode(Vector.self, from: Data(line.utf8))
            }
        } catch {
            fatalError("\(client).jsonl cannot be read: \(error)")
        }
    }
}
