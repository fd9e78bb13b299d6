import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import KiteQAdmin

@Suite struct BodyPiecesTests {
    @Test func theChunksOfOneReadAreOnePiece() throws {
        let channel = EmbeddedChannel(handlers: [ByteToMessageHandler(HTTPRequestDecoder()), BodyPieces()])
        defer { #expect(throws: Never.self) { _ = try channel.finish(acceptAlreadyClosed: true) } }
        let chunks = String(repeating: "1\r\nx\r\n", count: 1_000)
        try channel.writeInbound(ByteBuffer(string: "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n\(chunks)"))
        try channel.writeInbound(ByteBuffer(string: "1\r\ny\r\n0\r\n\r\n"))
        var parts: [HTTPServerRequestPart] = []
        while let part = try channel.readInbound(as: HTTPServerRequestPart.self) { parts.append(part) }
        guard case .head? = parts.first, case .end? = parts.last else {
            Issue.record("\(parts.count) parts")
            return
        }
        let bodies = parts.compactMap { if case .body(let body) = $0 { String(buffer: body) } else { nil } }
        #expect(bodies == [String(repeating: "x", count: 1_000), "y"])
    }
}
