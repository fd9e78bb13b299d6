import KiteQBroker
import NIOCore
import Synchronization

/// Counts the connections that there are from each address.
final class ConnectionsByAddress: Sendable {
    /// Why a connection was closed before anything was read of it.
    struct TooMany: Error {}

    private let limit: Int
    private let counts = Mutex([String: Int]())

    init(limit: Int) { self.limit = limit }

    /// Counts a connection until it is closed.
    /// - Throws: ``TooMany`` where it is one too many; it is closed then.
    func enter(_ channel: any Channel) throws(TooMany) {
        let address = Peer(channel.remoteAddress).address
        let isWithin = counts.withLock { counts in
            guard counts[address, default: 0] < limit else { return false }
            counts[address, default: 0] += 1
            return true
        }
        guard isWithin else {
            channel.close(promise: nil)
            throw TooMany()
        }
        channel.closeFuture.whenComplete { _ in self.leave(address) }
    }

    private func leave(_ address: String) {
        counts.withLock { counts in
            let left = (counts[address] ?? 1) - 1
            counts[address] = left > 0 ? left : nil
        }
    }
}
