import KiteQCore
import Logging
import Synchronization

/// What was refused: all of it counted, and some of it logged, so that whoever knocks all day fills no disk.
final class Refusals: Sendable {
    enum Kind: String, Sendable, Hashable, CaseIterable {
        /// The first packet was none, or did not come in time.
        case handshake
        /// An unknown group, a wrong secret or a wrong certificate.
        case credentials
        /// Too many wait to have their secret compared.
        case busy
        case tls
        case plainText = "plain_text"
        case tooMany = "too_many"
        case tooManyFromAddress = "too_many_from_address"
        /// A packet that did not become whole in time.
        case slow
        /// A group that may not publish to a topic.
        case publish
        /// A group's own limits: its connections,
        case groupConnections = "group_connections"
        /// and its publishes.
        case groupRate = "group_rate"
        case groupBytes = "group_bytes"
        case groupHalfMessages = "group_half_messages"
        /// Of a group that a publish is for.
        case groupBacklog = "group_backlog"

        /// Whether a publish is refused, and the connection kept.
        var isOfPublish: Bool {
            switch self {
            case .publish, .groupRate, .groupBytes, .groupHalfMessages, .groupBacklog: true
            case .handshake, .credentials, .busy, .tls, .plainText, .tooMany, .tooManyFromAddress, .slow,
                .groupConnections:
                false
            }
        }
    }

    /// Lines of one kind a minute, and of one kind and one address.
    private static let limits = (ofKind: 20, ofPlace: 1)
    /// Kinds and addresses that are remembered; then it starts over.
    private static let places = 1_000

    private struct Place: Hashable {
        var kind: Kind
        var address: String
    }

    private struct State {
        var byKind: [Kind: LogThrottle] = [:]
        var byPlace: [Place: LogThrottle] = [:]
    }

    private let state = Mutex(State())
    private let counters = Dictionary(uniqueKeysWithValues: Kind.allCases.map { ($0, Counter()) })
    private let logger: Logger

    init(logger: Logger) {
        self.logger = logger
    }

    /// Counts a connection that is refused, and says why at most once a minute for each address.
    func refuse(_ kind: Kind, _ peer: Peer, _ why: @autoclosure () -> String) {
        counters[kind]?.add(1)
        guard let skipped = admit(kind, peer, now: .now) else { return }
        let others = skipped > 0 ? " (\(skipped) more such lines were left out)" : ""
        let what = kind.isOfPublish ? "a publish" : "a connection"
        logger.warning("refusing \(what): \(why())\(others)", metadata: ["peer": "\(peer)"])
    }

    func count(_ kind: Kind) -> Int { counters[kind]?.count ?? 0 }

    /// Refused connections of all kinds.
    var connections: Int { counters.reduce(0) { $0 + ($1.key.isOfPublish ? 0 : $1.value.count) } }

    /// By the kinds' names.
    var counts: [String: Int] {
        Dictionary(uniqueKeysWithValues: counters.map { ($0.key.rawValue, $0.value.count) })
    }

    private func admit(_ kind: Kind, _ peer: Peer, now: ContinuousClock.Instant) -> Int? {
        state.withLock { state in
            if state.byPlace.count >= Self.places { state.byPlace.removeAll() }
            let own = LogThrottle(limit: Self.limits.ofPlace, per: .seconds(60))
            let fromPlace = state.byPlace[Place(kind: kind, address: peer.address), default: own].admit(now: now)
            guard let fromPlace else { return nil }
            let all = LogThrottle(limit: Self.limits.ofKind, per: .seconds(60))
            return state.byKind[kind, default: all].admit(now: now).map { $0 + fromPlace }
        }
    }
}
