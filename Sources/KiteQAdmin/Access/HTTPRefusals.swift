import KiteQBroker
import KiteQCore
import Logging
import Synchronization

/// What the administration's address refused: all of it counted, and some of it logged, as the client port does.
final class HTTPRefusals: Sendable {
    enum Kind: String, Sendable, Hashable, CaseIterable {
        /// None was shown where one is needed.
        case missing
        /// An unknown or expired token, or a header that holds none.
        case token
        /// An unknown group or a wrong secret.
        case secret
        /// Too many wrong ones came from the address: not looked at.
        case paused
        /// Too many wait to have their secret compared.
        case busy
        /// A token whose role is not enough.
        case role
        /// A token for some topics or groups, and something beyond them that was named.
        case scope
        /// Called by a foreign name, without a credential.
        case host
        /// Handed on by a proxy that is not trusted, without a credential.
        case proxy
        /// Sent by a page of another site.
        case crossSite = "cross_site"
        case tooManyFromAddress = "too_many_from_address"
        case tls
        /// No HTTP.
        case unreadable
    }

    private let counters = Dictionary(uniqueKeysWithValues: Kind.allCases.map { ($0, Counter()) })
    private let lines = Mutex(PlaceThrottle<Kind>(ofPlace: 1, ofKind: 20))
    private let logger: Logger

    init(logger: Logger) { self.logger = logger }

    /// Counts it, and says why at most once a minute for each address.
    ///
    /// - Parameters:
    ///   - place: what counts for one address.
    ///   - remote: where it comes from.
    func refuse(
        _ kind: Kind, place: String, remote: String, _ why: @autoclosure () -> String,
        _ metadata: @autoclosure () -> Logger.Metadata = [:]
    ) {
        counters[kind]?.add(1)
        guard let left = lines.withLock({ $0.admit(kind, from: place, now: .now) }) else { return }
        let others = left > 0 ? " (\(left) more such lines were left out)" : ""
        logger.warning(
            "refusing a request: \(why())\(others)", metadata: metadata().merging(["remote": "\(remote)"]) { $1 })
    }

    func count(_ kind: Kind) -> Int { counters[kind]?.count ?? 0 }

    func write(to page: inout PrometheusText) {
        page.split(
            "kiteq_http_refusals_total", .counter,
            "Requests and connections that the administration's address refused, by why.", by: "reason",
            Kind.allCases.map { ($0.rawValue, count($0)) })
    }
}
