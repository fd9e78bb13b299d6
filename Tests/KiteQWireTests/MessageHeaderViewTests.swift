import KiteQWire
import NIOCore
import SwiftProtobuf
import Testing

/// The header as far as the broker reads it.
@Suite struct MessageHeaderViewTests {
    private func bytes(_ change: (inout ProtoHeader) -> Void = { _ in }) throws -> ByteBuffer {
        var header = ProtoHeader.sample
        change(&header)
        return ByteBuffer(bytes: try header.serializedBytes(partial: true) as [UInt8])
    }

    @Test func valuesAndRange() throws {
        var buffer = ByteBuffer(hex: "ffff")
        buffer.writeImmutableBuffer(try bytes { $0.createTime = 42 })
        buffer.moveReaderIndex(forwardBy: 2)
        let view = try MessageHeaderView(decoding: buffer)
        #expect(view.messageIDRange == 2..<34)
        #expect(view.messageID == ProtoHeader.sample.messageID)
        #expect(view.withMessageID(Array.init) == Array(ProtoHeader.sample.messageID.utf8))
        #expect(view.topic == "trade")
        #expect(view.createTime == 42)
        #expect(view.bytes == buffer)
    }

    @Test(
        arguments: [
            ("messageId", { @Sendable in $0.clearMessageID() }), ("topic", { $0.clearTopic() }),
            ("messageType", { $0.clearMessageType() }), ("expiredTime", { $0.clearExpiredTime() }),
            ("deliverLimit", { $0.clearDeliverLimit() }), ("groupId", { $0.clearGroupID() }),
            ("commit", { $0.clearCommit() }), ("fly", { $0.clearFly() }),
        ] as [(String, @Sendable (inout ProtoHeader) -> Void)])
    func required(_ field: String, _ clear: @Sendable (inout ProtoHeader) -> Void) throws {
        let header = try bytes(clear)
        let error = try #require(throws: WireError.self) { try MessageHeaderView(decoding: header) }
        #expect(error.code == .missingField)
        #expect(error.message.contains(" \(field)."))
        #expect(throws: (any Error).self) { try ProtoHeader(decoding: header) }
    }

    @Test(arguments: [1, 2, 3, 6]) func textsAreUTF8(_ number: UInt8) throws {
        for bad in ["c328", "ff", "eda080", "c0af", "f5808080", "e4bd", "6161616161616161 ff"] {
            let text = ByteBuffer(hex: bad)
            var header = try bytes()
            header.writeBytes([number << 3 | 2, UInt8(text.readableBytes)])
            header.writeImmutableBuffer(text)
            let error = try #require(throws: WireError.self) { try MessageHeaderView(decoding: header) }
            #expect(error.code == .invalidText)
            #expect(throws: (any Error).self) { try ProtoHeader(decoding: header) }
        }
    }

    /// A field of the wrong wire type is an unknown field: it neither counts nor does harm.
    @Test func wrongWireTypes() throws {
        var header = try bytes()
        header.writeImmutableBuffer(ByteBuffer(hex: "0801 1001 2202aabb 3a00 4d00000000 5000 5101020304050607 08"))
        let view = try MessageHeaderView(decoding: header)
        #expect(view.messageID == ProtoHeader.sample.messageID)
        #expect(view.commit)
        #expect(view.createTime == 0)

        var only = try bytes { $0.clearCommit() }
        only.writeImmutableBuffer(ByteBuffer(hex: "3a0101"))
        let missing = try #require(throws: WireError.self) { try MessageHeaderView(decoding: only) }
        #expect(missing.code == .missingField)
    }

    @Test func propertiesAreCheckedForForm() throws {
        for (hex, code) in [
            ("4a00", .missingField), ("4a03 0a0161", .missingField), ("4a03 120161", .missingField),
            ("4a06 0a0161 1201ff", .invalidText), ("4a06 0a01ff 120161", .invalidText), ("4a02 0a05", .malformedBody),
        ] as [(String, WireError.Code)] {
            var header = try bytes()
            header.writeImmutableBuffer(ByteBuffer(hex: hex))
            let error = try #require(throws: WireError.self) { try MessageHeaderView(decoding: header) }
            #expect(error.code == code)
            #expect(throws: (any Error).self) { try ProtoHeader(decoding: header) }
        }
    }

    @Test func limitsOfNumbers() throws {
        let view = try MessageHeaderView(
            decoding: try bytes {
                $0.expiredTime = .min
                $0.deliverLimit = .min
                $0.createTime = .max
            })
        #expect((view.expiredTime, view.deliverLimit) == (.min, .min))
        #expect(view.createTime == .max)
    }

    @Test(arguments: [nil, 0, -1, .min] as [Int64?]) func createTimeIsFilledIn(_ sent: Int64?) throws {
        var header = try bytes { header in
            if let sent { header.createTime = sent }
        }
        header.writeImmutableBuffer(ByteBuffer(hex: "c20202aabb"))
        let filled = try MessageHeaderView(decoding: header).bytes(fillingCreateTime: 1_700_000_000)
        #expect(filled.hex == header.hex + "5080e2cfaa06")
        #expect(try MessageHeaderView(decoding: filled).createTime == 1_700_000_000)
        #expect(try ProtoHeader(decoding: filled).createTime == 1_700_000_000)
    }

    @Test(arguments: [1, 1_700_000_000, .max] as [Int64]) func createTimeIsKept(_ sent: Int64) throws {
        let header = try bytes { $0.createTime = sent }
        #expect(try MessageHeaderView(decoding: header).bytes(fillingCreateTime: 5) == header)
    }

    @Test func fieldsAreOverridden() throws {
        let view = try MessageHeaderView(decoding: try bytes())
        #expect(view.bytes(settingCreateTime: nil) == view.bytes)
        let changed = try ProtoHeader(
            decoding: view.bytes(settingCreateTime: 7, expiredTime: .max, deliverLimit: -3))
        #expect(changed.createTime == 7)
        #expect(changed.expiredTime == .max)
        #expect(changed.deliverLimit == -3)
        #expect(changed.topic == "trade")
    }
}
