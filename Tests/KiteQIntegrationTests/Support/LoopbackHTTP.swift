import NIOCore
import NIOPosix

/// As much of HTTP as it takes to ask a server of this machine one question.
enum LoopbackHTTP {
    /// The body of the answer to a GET; nil where nobody listens.
    static func get(_ path: String, port: Int) async throws -> String? {
        let channel: NIOAsyncChannel<ByteBuffer, ByteBuffer>
        do {
            channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connect(host: "127.0.0.1", port: port) { channel in
                    channel.eventLoop.makeCompletedFuture { try NIOAsyncChannel(wrappingChannelSynchronously: channel) }
                }
        } catch is NIOConnectionError {
            return nil
        }
        return try await channel.executeThenClose { answer, question in
            try await question.write(
                ByteBuffer(string: "GET \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"))
            var bytes = ByteBuffer()
            for try await part in answer { bytes.writeImmutableBuffer(part) }
            let text = String(buffer: bytes)
            return text.firstRange(of: "\r\n\r\n").map { String(text[$0.upperBound...]) }
        }
    }
}
