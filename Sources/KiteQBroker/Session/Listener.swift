import Logging
import NIOCore
import NIOPosix
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// Listens for as long as the process runs, and gives each connection its handler.
///
/// The address is taken before the store is joined: who cannot have it must not have ended another's life for it. While nobody
/// serves, a connection is closed as soon as it comes, so that its client goes to another broker at once.
final class Listener: Sendable {
    private struct State {
        var services: SessionServices?
        var listening: (any Channel)?
        /// All connections, those too that have not said yet who they are.
        var accepted: [ObjectIdentifier: any Channel] = [:]
    }

    /// The largest segment of a connection over loopback. There it would be as long as 65,483 bytes, and a client whose receive
    /// buffer holds less (KiteQ's Go client: 16 KiB) is sent a fraction of one at each of the kernel's timeouts: a hundred
    /// messages a second. No other network has segments of this size, so nothing else changes.
    static let segmentBytes = 16 << 10

    /// Of a connection that has not been let in, at a time: what comes in one go is looked at before more is read.
    static let readsBeforeAdmission: UInt = 1
    static let reads: UInt = 16

    private let eventLoops: any EventLoopGroup
    private let state = Mutex(State())
    let acceptFailures: AcceptFailures

    init(eventLoops: any EventLoopGroup, logger: Logger) {
        self.eventLoops = eventLoops
        acceptFailures = AcceptFailures("broker.bind", logger: logger)
    }

    /// Listens. Returns the port that was had.
    /// - Throws: `BrokerError` where it cannot.
    func bind(host: String, port: Int) async throws -> Int {
        do {
            let channel = try await ServerBootstrap(group: eventLoops)
                .serverChannelOption(.backlog, value: 1_024)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .serverChannelOption(
                    ChannelOptions.Types.SocketOption(level: .tcp, name: .init(rawValue: TCP_MAXSEG)),
                    value: Self.segmentBytes
                )
                .serverChannelInitializer { [acceptFailures] channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(AcceptPause(acceptFailures))
                    }
                }
                .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
                .childChannelOption(.maxMessagesPerRead, value: Self.readsBeforeAdmission)
                .childChannelOption(
                    .writeBufferWaterMark,
                    value: ChannelOptions.Types.WriteBufferWaterMark(low: 256 << 10, high: 1 << 20)
                )
                .childChannelInitializer { self.initialize($0) }
                .bind(host: host, port: port)
                .get()
            state.withLock { $0.listening = channel }
            return channel.localAddress?.port ?? port
        } catch {
            throw BrokerError("cannot listen on \(host):\(port): \(Self.reason(error))")
        }
    }

    /// Of the socket's refusal, without the words of the library.
    private static func reason(_ error: any Error) -> String {
        switch error {
        case let error as IOError: error.reason
        case is SocketAddressError: "there is no such host"
        default: "\(error)"
        }
    }

    /// Who serves the connections that come from now on.
    func serve(_ services: SessionServices) { state.withLock { $0.services = services } }

    /// Nobody serves any more; all connections are closed.
    func endSessions() {
        let accepted = state.withLock { state in
            state.services = nil
            return Array(state.accepted.values)
        }
        for channel in accepted { channel.close(promise: nil) }
    }

    /// Listens no more. Connections stay.
    func close() async throws {
        let channel = state.withLock { state in
            defer { state.listening = nil }
            return state.listening
        }
        try await channel?.close()
    }

    private func initialize(_ channel: any Channel) -> EventLoopFuture<Void> {
        let id = ObjectIdentifier(channel)
        let services = state.withLock { state in
            if state.services != nil { state.accepted[id] = channel }
            return state.services
        }
        guard let services else { return channel.close() }
        channel.closeFuture.whenComplete { _ in self.state.withLock { $0.accepted[id] = nil } }
        let (peer, settings) = (Peer(channel.remoteAddress), services.settings)
        let place: Admissions.Place
        switch services.admissions.enter(peer, settings) {
        case .taken(let taken): place = taken
        case .refused(let kind, let why):
            services.refusals.refuse(kind, peer, why)
            return channel.close()
        }
        channel.closeFuture.whenComplete { _ in services.admissions.leave(place, services.settings) }
        if let near = services.admissions.nearLimit(settings) {
            services.logger.warning(
                "\(near.count) of \(near.limit) places of clients are taken (broker.max_connections): those beyond are refused"
            )
        }
        return channel.eventLoop.makeCompletedFuture {
            let pipeline = channel.pipeline.syncOperations
            if let tls = settings.tls {
                try pipeline.addHandler(TLSGate(tls, refusals: services.refusals, peer: peer))
            }
            try pipeline.addHandler(ConnectionHandler(services: services, place: place))
        }
    }
}
