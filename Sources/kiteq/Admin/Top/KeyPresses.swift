import Dispatch
import Glibc

/// The bytes that come from standard input, as they come.
enum KeyPresses {
    /// Ends at the input's end, or when nobody listens any more.
    static func stream() -> AsyncStream<UInt8> {
        AsyncStream { continuation in
            // Dispatch's sources bear threads, and do not say so.
            nonisolated(unsafe) let source =
                DispatchSource.makeReadSource(fileDescriptor: STDIN_FILENO, queue: .global())
            source.setEventHandler {
                var bytes = [UInt8](repeating: 0, count: 64)
                let count = read(STDIN_FILENO, &bytes, bytes.count)
                if count > 0 {
                    for byte in bytes.prefix(count) { continuation.yield(byte) }
                } else if count == 0 || errno != EINTR && errno != EAGAIN {
                    continuation.finish()
                }
            }
            continuation.onTermination = { _ in source.cancel() }
            source.activate()
        }
    }
}
