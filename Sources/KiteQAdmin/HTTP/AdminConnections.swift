import KiteQBroker
import NIOCore
import Synchronization

/// The connections to the administration, each with its place (``ConnectionPlaces``).
final class AdminConnections: Sendable {
    /// Why a connection was closed before anything was read of it.
    struct TooMany: Error {}

    private struct State {
        var places: ConnectionPlaces<ObjectIdentifier>
        var channels: [ObjectIdentifier: (channel: any Channel, presence: CallerPresence)] = [:]
    }

    private let state: Mutex<State>
    private let refusals: HTTPRefusals

    init(_ limits: AdminLimits, _ refusals: HTTPRefusals) {
        state = Mutex(State(places: ConnectionPlaces(limits)))
        self.refusals = refusals
    }

    /// Gives a connection a place until it is closed; another one may be closed for it.
    /// - Throws: ``TooMany`` where there is none; it is closed then.
    func enter(_ channel: any Channel) throws(TooMany) {
        let id = ObjectIdentifier(channel)
        let peer = Peer(channel.remoteAddress)
        let address = peer.address
        let (isIn, other) = state.withLock { state -> (Bool, (channel: any Channel, presence: CallerPresence)?) in
            guard case .stays(let other) = state.places.enter(id, from: address) else { return (false, nil) }
            state.channels[id] = (channel, CallerPresence())
            return (true, other.flatMap { state.channels.removeValue(forKey: $0) })
        }
        other?.presence.leave()
        other?.channel.close(promise: nil)
        guard isIn else {
            refusals.refuse(
                .tooManyFromAddress, place: address, remote: peer.description,
                "each place that \(address) may have has a request under way")
            channel.close(promise: nil)
            throw TooMany()
        }
        channel.closeFuture.whenComplete { _ in
            self.state.withLock { state in
                state.places.leave(id)
                state.channels.removeValue(forKey: id)?.presence.leave()
            }
        }
    }

    /// Nil where the connection has no place any more.
    func presence(of channel: any Channel) -> CallerPresence? {
        state.withLock { $0.channels[ObjectIdentifier(channel)]?.presence }
    }

    /// See ``ConnectionPlaces/begin(_:isProbe:)``.
    func begin(_ channel: any Channel, isProbe: Bool) -> Bool {
        state.withLock { $0.places.begin(ObjectIdentifier(channel), isProbe: isProbe) }
    }

    func end(_ channel: any Channel) { state.withLock { $0.places.end(ObjectIdentifier(channel)) } }
}
