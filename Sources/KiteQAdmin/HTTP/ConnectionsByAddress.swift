import KiteQBroker
import NIOCore
import Synchronization

/// Counts the connections that there are from each address.
final class ConnectionsByAddress: Sendable {
    /// Why a connection was closed before anything was read of it.
    struct TooMany: Error {}

    private let limit: Int
    private let refusals: HTTPRefusals
    private let counts = Mutex([String: Int]())

    init(limit: Int, refusals: HTTPRefusals) {
        self.limit = limit
        self.refusals = refusals
    }

    /// Counts a connection until it is closed.
    /// - Throws: ``TooMany`` where it is one too many; it is closed then.
    func enter(_ channel: any Channel) throws(TooMany) {
        let peer = Peer(channel.remoteAddress)
        let address = peer.address
        let isWithin = counts.withLock { counts in
            guard counts[address, default: 0] < limit else { return false }
            counts[address, default: 0] += 1
            return true
        }
        guard isWithin else {
            refusals.refuse(
                .tooManyFromAddress, place: address, remote: peer.description,
                "\(address) has \(limit) connections already")
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
