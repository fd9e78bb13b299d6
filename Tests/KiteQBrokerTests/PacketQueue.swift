import KiteQWire
import NIOConcurrencyHelpers
import NIOCore

/// Packets that came, until a test asks for them.
///
/// With a lock that the thread sanitizer can see (see `TracedMutex` of KiteQBroker).
final class PacketQueue: Sendable {
    private struct State {
        var packets: [Packet] = []
        var waiters: [(wants: @Sendable (Packet) -> Bool, CheckedContinuation<Packet, any Error>)] = []
        var isClosed = false
    }

    struct Closed: Error {}

    private let state = NIOLockedValueBox(State())

    func append(_ packet: Packet) {
        let waiter = state.withLockedValue { state -> CheckedContinuation<Packet, any Error>? in
            guard let index = state.waiters.firstIndex(where: { $0.wants(packet) }) else {
                state.packets.append(packet)
                return nil
            }
            return state.waiters.remove(at: index).1
        }
        waiter?.resume(returning: packet)
    }

    func close() {
        let waiters = state.withLockedValue { state in
            state.isClosed = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.1.resume(throwing: Closed()) }
    }

    /// Those that came and were not asked for.
    var waiting: [Packet] { state.withLockedValue { $0.packets } }

    /// Waits for one; the suite's time limit ends a wait for what never comes.
    func next(_ wants: @escaping @Sendable (Packet) -> Bool) async throws -> Packet {
        try await withCheckedThrowingContinuation { continuation in
            let now = state.withLockedValue { state -> Result<Packet, any Error>? in
                if let index = state.packets.firstIndex(where: wants) {
                    return .success(state.packets.remove(at: index))
                }
                if state.isClosed { return .failure(Closed()) }
                state.waiters.append((wants, continuation))
                return nil
            }
            if let now { continuation.resume(with: now) }
        }
    }
}

final class WireHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let packets: PacketQueue
    private let processor: NIOSingleStepByteToMessageProcessor<PacketDecoder>

    init(_ packets: PacketQueue, framing: Framing) {
        self.packets = packets
        processor = NIOSingleStepByteToMessageProcessor(
            PacketDecoder(framing: framing), maximumBufferSize: PacketDecoder.maximumBufferedBytes)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        do {
            try processor.process(buffer: unwrapInboundIn(data)) { self.packets.append($0) }
        } catch {
            context.close(promise: nil)
        }
    }

    func channelInactive(context: ChannelHandlerContext) { packets.close() }
}
