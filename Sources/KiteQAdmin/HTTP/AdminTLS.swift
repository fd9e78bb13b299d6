import HTTPTypes
package import KiteQBroker
package import NIOSSL
import Synchronization

/// The administration's TLS as it stands: what a reload replaces, for the connections to come; which certificates are revoked, for those
/// that are there, too.
package final class AdminTLS: Sendable {
    private struct State {
        var context: NIOSSLContext?
        var revocations: RevocationList?
        var maxAge: Duration?
    }

    private let state: Mutex<State>

    /// - Parameters:
    ///   - context: nil: plain HTTP.
    ///   - revocations: clients' certificates that are not taken though they are good.
    ///   - maxAge: how long browsers are to come by TLS alone (RFC 6797); zero: they are to forget it; nil: nothing is said.
    package init(_ context: NIOSSLContext?, revocations: RevocationList? = nil, maxAge: Duration? = nil) {
        state = Mutex(State(context: context, revocations: revocations, maxAge: maxAge))
    }

    package func set(_ context: NIOSSLContext?, revocations: RevocationList? = nil, maxAge: Duration? = nil) {
        state.withLock { $0 = State(context: context, revocations: revocations, maxAge: maxAge) }
    }

    var context: NIOSSLContext? { state.withLock { $0.context } }
    var revocations: RevocationList? { state.withLock { $0.revocations } }

    /// The value of `Strict-Transport-Security` for a request that calls the broker by these names; nil where it says nothing.
    ///
    /// Only over TLS, where alone it counts. Not for an address, for which browsers pass it over, nor for `localhost`, which is
    /// everybody's on that machine: whatever else is served there in plain text could not be reached any more.
    func transportPolicy(for hosts: [HostName?]) -> String? {
        let (isEncrypted, maxAge) = state.withLock { ($0.context != nil, $0.maxAge) }
        guard isEncrypted, let maxAge, !hosts.isEmpty, hosts.allSatisfy({ $0?.isOnesOwn ?? false }) else { return nil }
        return "max-age=\(maxAge.components.seconds)"
    }
}

extension HostName {
    /// Neither an address nor a name that every machine has.
    fileprivate var isOnesOwn: Bool { !isAddress && text != "localhost" && !text.hasSuffix(".localhost") }
}

extension HTTPField.Name {
    static let strictTransportSecurity = HTTPField.Name("Strict-Transport-Security")!
}
