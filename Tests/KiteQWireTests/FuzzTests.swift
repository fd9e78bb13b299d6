import Foundation
import KiteQWire
import NIOCore
import SwiftProtobuf
import Testing

/// Our readers against the generated code: the same bytes are accepted, and have the same values.
///
/// Every round is made by its seed alone. Half of the rounds damage recorded packets, half make protobuf up.
@Suite struct FuzzTests {
    /// KITEQ_FUZZ_ROUNDS asks for more than every test run makes.
    static let rounds = ProcessInfo.processInfo.environment["KITEQ_FUZZ_ROUNDS"].flatMap { UInt64($0) } ?? 10_000

    private func eachBody(
        _ fields: [Int: FuzzBytes.Kind], _ recorded: Command..., check: (ByteBuffer, UInt64) throws -> Bool
    ) throws {
        let vectors = Vector.all.filter { recorded.contains(Command(rawValue: $0.decoded.command)) }
            .map { vector in
                Array(vector.packet.readableBytesView.dropFirst(vector.wireFraming.prefixLength + PacketHeader.length))
            }
        var accepted = 0
        for seed in 0..<Self.rounds {
            var fuzz = FuzzBytes(seed: seed)
            var bytes: [UInt8]
            if seed % 2 == 0, let vector = vectors.randomElement(using: &fuzz.random) {
                bytes = vector
                fuzz.damage(&bytes)
            } else {
                bytes = fuzz.body(fields)
            }
            if try check(ByteBuffer(bytes: bytes), seed) { accepted += 1 }
        }
        // Noise that is all refused, or all accepted, would show nothing.
        #expect((Int(Self.rounds) / 10..<Int(Self.rounds) * 9 / 10).contains(accepted), "\(accepted) accepted")
    }

    private func same(_ view: MessageHeaderView, _ header: ProtoHeader) -> Bool {
        view.messageID == header.messageID && view.topic == header.topic && view.messageType == header.messageType
            && view.expiredTime == header.expiredTime && view.deliverLimit == header.deliverLimit
            && view.groupID == header.groupID && view.commit == header.commit && view.fly == header.fly
            && view.createTime == (header.hasCreateTime ? header.createTime : nil)
    }

    @Test func messages() throws {
        try eachBody(FuzzBytes.message, .bytesMessage, .stringMessage) { bytes, seed in
            let ours = try? MessageBody.split(bytes)
            let view = ours.flatMap { try? MessageHeaderView(decoding: $0.header) }
            let theirs = try? ProtoBytesMessage(decoding: bytes)
            #expect((view != nil) == (theirs != nil), "seed \(seed): \(bytes.hex)")
            guard let ours, let view, let theirs else { return false }
            #expect(same(view, theirs.header), "seed \(seed): \(bytes.hex)")
            #expect(ours.body == ByteBuffer(bytes: theirs.body), "seed \(seed)")
            #expect(ours.extra ?? ByteBuffer() == ByteBuffer(bytes: theirs.unknownFields.data), "seed \(seed)")
            // Properties and unknown fields of the header are in its bytes, merged or not.
            let header = try? ProtoHeader(decoding: ours.header)
            #expect(header == theirs.header, "seed \(seed)")
            // Filled in, nothing else changes.
            var filled = theirs.header
            if filled.createTime <= 0 { filled.createTime = 99 }
            let reread = try? ProtoHeader(decoding: view.bytes(fillingCreateTime: 99))
            #expect(reread == filled, "seed \(seed)")
            return true
        }
    }

    /// A text for people is repaired where the generated code refuses it as not UTF-8; all else is the same.
    private func agree<Theirs>(
        _ accepted: Bool, _ bytes: ByteBuffer, _ theirs: () throws(WireError) -> Theirs
    ) -> Theirs? {
        do {
            let theirs = try theirs()
            #expect(accepted, "\(bytes.hex)")
            return theirs
        } catch {
            #expect(!accepted || error.code == .invalidText, "\(bytes.hex): \(error)")
            return nil
        }
    }

    @Test func transactionAcks() throws {
        try eachBody(FuzzBytes.transaction, .txAck) { bytes, seed in
            let ours = try? TransactionAck(decoding: bytes)
            let view = ours.flatMap { try? MessageHeaderView(decoding: $0.header) }
            let theirs = agree(view != nil, bytes) { () throws(WireError) in try ProtoTxACKPacket(decoding: bytes) }
            guard let ours, let view, let theirs else { return false }
            #expect(same(view, theirs.header), "seed \(seed): \(bytes.hex)")
            #expect(ours.status == theirs.status && ours.feedback == theirs.feedback, "seed \(seed)")
            return true
        }
    }

    @Test func deliverAcks() throws {
        try eachBody(FuzzBytes.deliverAck, .deliverAck) { bytes, seed in
            let ours = try? DeliverAck(decoding: bytes)
            let theirs = agree(ours != nil, bytes) { () throws(WireError) in try ProtoDeliverAck(decoding: bytes) }
            guard let ours, let theirs else { return false }
            #expect(
                ours.messageID == theirs.messageID && ours.status == theirs.status && ours.feedback == theirs.feedback,
                "seed \(seed)")
            return true
        }
    }

    @Test func storeAcks() throws {
        try eachBody(FuzzBytes.storeAck, .messageStoreAck) { bytes, seed in
            let ours = try? StoreAck(decoding: bytes)
            let theirs = agree(ours != nil, bytes) { () throws(WireError) in try ProtoMessageStoreAck(decoding: bytes) }
            guard let ours, let theirs else { return false }
            #expect(
                ours.messageID == theirs.messageID && ours.status == theirs.status && ours.feedback == theirs.feedback,
                "seed \(seed)")
            return true
        }
    }

    @Test func connAuthAcks() throws {
        try eachBody(FuzzBytes.connAuth, .connAuth) { bytes, seed in
            let ours = try? ConnAuthAck(decoding: bytes)
            let theirs = agree(ours != nil, bytes) { () throws(WireError) in try ProtoConnAuthAck(decoding: bytes) }
            guard let ours, let theirs else { return false }
            let extensions =
                theirs.hasCapabilities
                ? ConnAuthAck.Extensions(
                    capabilities: BrokerCapabilities(rawValue: theirs.capabilities),
                    deliveryTimeoutMilliseconds: theirs.deliveryTimeoutMs)
                : nil
            #expect(
                ours.status == theirs.status && ours.feedback == theirs.feedback && ours.extensions == extensions,
                "seed \(seed)")
            return true
        }
    }

    @Test func connMetas() throws {
        try eachBody(FuzzBytes.connMeta, .connMeta) { bytes, seed in
            let ours = try? ConnMeta(decoding: bytes)
            let theirs = (try? ProtoConnMeta(decoding: bytes)).map {
                ConnMeta(
                    groupID: $0.groupID, secretKey: $0.secretKey, warmingUpSeconds: $0.warmingupSec,
                    capabilities: $0.hasCapabilities ? ClientCapabilities(rawValue: $0.capabilities) : nil,
                    window: $0.window)
            }
            #expect(ours == theirs, "seed \(seed): \(bytes.hex)")
            return ours != nil
        }
    }

    @Test func deliverExtends() throws {
        try eachBody(FuzzBytes.deliverExtend) { bytes, seed in
            let ours = try? DeliverExtend(decoding: bytes).opaques
            #expect(ours == (try? ProtoDeliverExtend(decoding: bytes).opaque), "seed \(seed): \(bytes.hex)")
            return ours != nil
        }
    }

    @Test func heartBeats() throws {
        try eachBody(FuzzBytes.heartBeat, .heartbeat) { bytes, seed in
            let ours = try? HeartBeat(decoding: bytes).version
            #expect(ours == (try? ProtoHeartBeat(decoding: bytes).version), "seed \(seed): \(bytes.hex)")
            return ours != nil
        }
    }

    /// Streams of damaged packets: whatever the cut into reads, the same packets come out and the same error ends them.
    @Test(arguments: Framing.allCases) func streams(_ framing: Framing) throws {
        for seed in 0..<Self.rounds / 4 {
            var fuzz = FuzzBytes(seed: seed)
            var bytes = Array(PacketBytes(opaque: Int32(truncatingIfNeeded: seed)).bytes(framing).readableBytesView)
            for _ in 0..<Int.random(in: 0...4, using: &fuzz.random) {
                let packet = PacketBytes(
                    opaque: .random(in: 0...9, using: &fuzz.random),
                    command: [1, 5, 0x11, 0x12, 0x7F, 0x82].randomElement(using: &fuzz.random) ?? 1,
                    body: ByteBuffer(bytes: fuzz.body(FuzzBytes.heartBeat)))
                bytes += packet.bytes(framing).readableBytesView
            }
            if seed % 4 != 0 { fuzz.damage(&bytes) }
            let whole = outcome([ByteBuffer(bytes: bytes)])
            var (reads, rest) = ([ByteBuffer](), bytes[...])
            while !rest.isEmpty {
                let count = Int.random(in: 1...12, using: &fuzz.random)
                reads.append(ByteBuffer(bytes: rest.prefix(count)))
                rest = rest.dropFirst(count)
            }
            #expect(outcome(reads) == whole, "seed \(seed)")
        }
    }

    /// Without the error's message, which may show what else was in the read.
    private struct Outcome: Equatable {
        var packets: [Packet] = []
        var code: WireError.Code?
        var header: PacketHeader?
        var framing: Framing?
    }

    private func outcome(_ reads: [ByteBuffer]) -> Outcome {
        let processor = NIOSingleStepByteToMessageProcessor(PacketDecoder())
        var outcome = Outcome()
        do {
            for read in reads { try processor.process(buffer: read) { outcome.packets.append($0) } }
            try processor.finishProcessing(seenEOF: true) { outcome.packets.append($0) }
        } catch let error as WireError {
            (outcome.code, outcome.header, outcome.framing) = (error.code, error.header, error.framing)
        } catch {
            Issue.record("not a WireError: \(error)")
        }
        return outcome
    }
}
