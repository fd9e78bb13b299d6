package import NIOSSL
import Synchronization

/// The administration's TLS as it stands: what a reload replaces, for the connections to come.
package final class AdminTLS: Sendable {
    private let current: Mutex<NIOSSLContext?>

    /// - Parameter context: nil: plain HTTP.
    package init(_ context: NIOSSLContext?) { current = Mutex(context) }

    package func set(_ context: NIOSSLContext?) { current.withLock { $0 = context } }

    var context: NIOSSLContext? { current.withLock { $0 } }
}
