import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// A second descriptor of a connection's socket, so that somebody else than its thread, which may wait there for an answer, can end
/// that wait.
final class ConnectionLine: Sendable {
    private let descriptor = Mutex<Int32?>(nil)

    deinit { descriptor.withLock { Self.drop(&$0) } }

    /// - Parameter socket: the connector's own, which stays its own.
    func hold(_ socket: Int32) {
        // Where the process has too many open there is none: the wait then ends with the read timeout.
        let own = fcntl(socket, F_DUPFD_CLOEXEC, 0)
        descriptor.withLock { descriptor in
            Self.drop(&descriptor)
            if own >= 0 { descriptor = own }
        }
    }

    func letGo() { descriptor.withLock { Self.drop(&$0) } }

    /// Whoever reads or writes there finds the connection ended.
    func cut() {
        descriptor.withLock { if let socket = $0 { shutdown(socket, Int32(SHUT_RDWR)) } }
    }

    private static func drop(_ descriptor: inout Int32?) {
        if let open = descriptor.take() { close(open) }
    }
}
