import KiteQCore
import Synchronization

/// Collects where the parts of a broker listen, and tells once all do.
final class StartSignal: Sendable {
    private struct State {
        var address: BrokerAddress?
        var adminPort: Int?
    }

    private let state = Mutex(State())
    private let continuation: AsyncStream<(BrokerAddress, Int)>.Continuation
    /// One element, then the end.
    let started: AsyncStream<(BrokerAddress, Int)>

    init() {
        (started, continuation) = AsyncStream.makeStream()
    }

    func brokerServes(on address: BrokerAddress) { update { $0.address = address } }

    /// - Parameter port: 0 where there is no administration.
    func adminListens(on port: Int) { update { $0.adminPort = port } }

    private func update(_ change: (inout State) -> Void) {
        let complete: (BrokerAddress, Int)? = state.withLock { state in
            change(&state)
            guard let address = state.address, let port = state.adminPort else { return nil }
            return (address, port)
        }
        guard let complete else { return }
        continuation.yield(complete)
        continuation.finish()
    }
}
