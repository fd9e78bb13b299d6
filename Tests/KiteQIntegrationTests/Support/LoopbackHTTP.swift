import Foundation
import NIOCore
import NIOPosix

/// As much of HTTP as it takes to ask a server of this machine one question.
enum LoopbackHTTP {
    struct Answer: Sendable {
        var status: Int
        var body: String
    }

    /// The body of the answer to a GET; nil where nobody listens.
    static func get(_ path: String, port: Int) async throws -> String? {
        try await ask("GET \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", port: port)
            .flatMap(parse)?.body
    }

    /// The answer to a POST of JSON, as a group with its secret; nil where nobody listens.
    static func post(_ path: String, _ json: String, group: String, secret: String, port: Int) async throws -> Answer? {
        let credentials = Data("\(group):\(secret)".utf8).base64EncodedString()
        let head = [
            "POST \(path) HTTP/1.1", "Host: localhost", "Connection: close", "Content-Type: application/json",
            "Authorization: Basic \(credentials)", "Content-Length: \(json.utf8.count)",
        ]
        return try await ask(head.joined(separator: "\r\n") + "\r\n\r\n" + json, port: port).flatMap(parse)
    }

    private static func parse(_ text: String) -> Answer? {
        guard let end = text.firstRange(of: "\r\n\r\n"), let status = text.split(separator: " ").dropFirst().first
        else {
            return nil
        }
        return Int(status).map { Answer(status: $0, body: String(text[end.upperBound...])) }
    }

    /// All that is answered until the server closes; nil where nobody listens.
    static func ask(_ question: String, port: Int) async throws -> String? {
        let channel: NIOAsyncChannel<ByteBuffer, ByteBuffer>
        do {
            channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connect(host: "127.0.0.1", port: port) { channel in
                    channel.eventLoop.makeCompletedFuture { try NIOAsyncChannel(wrappingChannelSynchronously: channel) }
                }
        } catch is NIOConnectionError {
            return nil
        }
        return try await channel.executeThenClose { answer, outbound in
            try await outbound.write(ByteBuffer(string: question))
            var bytes = ByteBuffer()
            for try await part in answer { bytes.writeImmutableBuffer(part) }
            return String(buffer: bytes)
        }
    }
}
