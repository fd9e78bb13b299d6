import NIOCore
import Synchronization

/// What brokers asked about half messages and was not answered yet, bounded in number and bytes. What is dropped is asked again.
final class OpenQuestions: Sendable {
    struct Question: Sendable {
        var connection: ClientConnection
        var opaque: Int32
        /// A copy: a slice would keep the whole read that it came with.
        var header: ByteBuffer
    }

    private static let mostBytes = 16 << 20
    /// Checks that run at a time.
    static let mostAtATime = 64

    let waiting: AsyncStream<Question>
    private let continuation: AsyncStream<Question>.Continuation
    private let bytes = Atomic<Int>(0)

    init() { (waiting, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(10_000)) }

    func add(_ connection: ClientConnection, opaque: Int32, header: ByteBuffer) {
        let size = header.readableBytes
        guard bytes.load(ordering: .relaxed) + size <= Self.mostBytes else { return }
        bytes.add(size, ordering: .relaxed)
        let question = Question(
            connection: connection, opaque: opaque, header: ByteBuffer(bytes: header.readableBytesView))
        switch continuation.yield(question) {
        case .enqueued: break
        case .dropped, .terminated: end(question)
        @unknown default: break
        }
    }

    /// It was answered, or will not be.
    func end(_ question: Question) { bytes.subtract(question.header.readableBytes, ordering: .relaxed) }
}
