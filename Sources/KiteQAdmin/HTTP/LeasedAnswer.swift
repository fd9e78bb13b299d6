import HTTPTypes
import Hummingbird
import NIOCore

/// An answer in JSON that may be large. It is sent piece by piece, as it is read, and its memory counts until its last piece is sent.
struct LeasedAnswer<Content: Encodable & Sendable>: ResponseGenerator, Sendable {
    private let content: Content
    private let lease: MemoryLease
    private static var pieceBytes: Int { 64 << 10 }

    init(_ content: Content, _ lease: MemoryLease) {
        self.content = content
        self.lease = lease
    }

    func response(from request: Request, context: some RequestContext) throws -> Response {
        let (text, lease) = (try JSONText.encode(content), lease)
        return Response(
            status: .ok, headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: ResponseBody(contentLength: text.readableBytes) { writer in
                defer { lease.end() }
                var rest = text
                // A copy of each: a slice would keep the whole answer until it is sent.
                while let piece = rest.readSlice(length: min(Self.pieceBytes, rest.readableBytes)),
                    piece.readableBytes > 0
                {
                    try await writer.write(ByteBuffer(bytes: piece.readableBytesView))
                }
                try await writer.finish(nil)
            })
    }
}
