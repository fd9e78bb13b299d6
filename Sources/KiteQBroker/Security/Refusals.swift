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
        /// A packet, of a client that was let in, that cannot be understood.
        case malformed
        /// A client that was let in and sent nothing for too long.
        case silent
        /// A group's own limits: its connections,
        case groupConnections = "group_connections"
        /// and its publishes.
        case groupRate = "group_rate"
        case groupBytes = "group_bytes"
        case groupHalfMessages = "group_half_messages"
        /// Of a group that a publish is for.
        case groupBacklog = "group_backlog"

        private static var refusingConnection: String { "refusing a connection" }

        /// What a line begins with.
        fileprivate var sentence: String {
            switch self {
            case .publish, .groupRate, .groupBytes, .groupHalfMessages, .groupBacklog: "refusing a publish"
            case .malformed: "closing a connection after a packet that cannot be understood"
            case .silent: "closing a connection"
            case .handshake, .credentials, .busy, .tls, .plainText, .tooMany, .tooManyFromAddress, .slow,
                .groupConnections:
                Self.refusingConnection
            }
        }

        /// Whether a connection is not taken, rather than something of one that was.
        fileprivate var isOfConnection: Bool { sentence == Self.refusingConnection }

        fileprivate var level: Logger.Level { self == .silent ? .info : .warning }
    }

    /// Lines of a minute.
    private let lines = Mutex(PlaceThrottle<Kind>(ofPlace: 1, ofKind: 20))
    private let counters = Dictionary(uniqueKeysWithValues: Kind.allCases.map { ($0, Counter()) })
    private let logger: Logger

    init(logger: Logger) {
        self.logger = logger
    }

    /// Counts what is refused, and says why at most once a minute for each address; of clients that were let in for each address
    /// and group, so that one of them does not hide what the others do.
    ///
    /// - Parameter group: that of a client that was let in.
    func refuse(_ kind: Kind, _ peer: Peer, of group: String? = nil, _ why: @autoclosure () -> String) {
        counters[kind]?.add(1)
        let place = group.map { "\(peer.address) \($0)" } ?? peer.address
        guard let left = lines.withLock({ $0.admit(kind, from: place, now: .now) }) else { return }
        let others = left > 0 ? " (\(left) more such lines were left out)" : ""
        var metadata: Logger.Metadata = ["peer": "\(peer)"]
        if let group { metadata["group"] = "\(group)" }
        logger.log(level: kind.level, "\(kind.sentence): \(why())\(others)", metadata: metadata)
    }

    func count(_ kind: Kind) -> Int { counters[kind]?.count ?? 0 }

    /// Refused connections of all kinds.
    var connections: Int { counters.reduce(0) { $0 + ($1.key.isOfConnection ? $1.value.count : 0) } }

    /// By the kinds' names.
    var counts: [String: Int] {
        Dictionary(uniqueKeysWithValues: counters.map { ($0.key.rawValue, $0.value.count) })
    }
}
