import HTTPTypes
import Hummingbird
import NIOCore

/// Reads a body into one buffer, for as long as there is room for it.
struct RequestBodyReader: Sendable {
    private let body: RequestBody
    /// Bytes that it is said to have; nil where it comes in chunks.
    private let announced: Int?
    private let limit: Int

    /// So much of a body needs no room: pulls and receipts are answered also where a group's publishes have taken all of its own.
    static let free = 16 << 10
    /// Of a body whose length nobody knows: so many bytes are taken at a time.
    private static let step = 64 << 10

    /// - Parameter limit: bytes at most; more are not kept.
    init(_ body: RequestBody, announced: Int?, limit: Int) {
        self.body = body
        self.announced = announced
        self.limit = limit
    }

    static func tooLarge(_ limit: Int) -> Problem {
        Problem(.contentTooLarge, "the body is larger than \(limit) bytes")
    }

    /// - Throws: ``Problem`` where it is larger, or there is no room for it now.
    func collect() async throws -> ByteBuffer {
        // At once: so it does not grow by being copied.
        var room = Self.free
        if let announced, announced > room { room += try await take(announced - room) }
        var whole = ByteBuffer()
        whole.reserveCapacity(room)
        for try await piece in body {
            guard whole.readableBytes + piece.readableBytes <= limit else { throw Self.tooLarge(limit) }
            while whole.readableBytes + piece.readableBytes > room { room += try await take(Self.step) }
            whole.writeImmutableBuffer(piece)
        }
        return whole
    }

    /// It is not read on meanwhile.
    private func take(_ bytes: Int) async throws(Problem) -> Int {
        if let lease = MemoryLease.current, !(await lease.takeInTime(bytes)) {
            throw Problem.full("bodies of requests fill the memory that there is for them (admin.body_memory)")
        }
        return bytes
    }
}
