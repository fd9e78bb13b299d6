package import KiteQCore
import NIOCore
import Synchronization

/// Publish, pull and acknowledge without a connection of one's own, such as over HTTP. What it guarantees, and its limits,
/// are those of a connection: it takes the same way.
///
/// It belongs to one life of a broker: its receipts end with it, and what they stand for is delivered again. Who may call
/// it for which group is the caller's to check.
package final class Messaging: Sendable {
    let services: SessionServices
    let identity: BrokerIdentity
    let incarnation: Int64
    let registry: any Registry
    let waiters = PullWaiters()
    let declared = Mutex(DeclaredTopics())

    init(services: SessionServices, identity: BrokerIdentity, incarnation: Int64, registry: any Registry) {
        self.services = services
        self.identity = identity
        self.incarnation = incarnation
        self.registry = registry
    }

    /// The bounds of pulls; values beyond them are brought within.
    package var limits: PullLimits { services.configuration.delivery.pull }

    /// The broker stops: those that wait are told so at once, and nobody waits any more. What was pulled may be answered.
    func stop() {
        waiters.end(MessagingError(.stopping, "the broker is stopping, ask another one"))
    }

    /// This life of the broker ends at once.
    func end() {
        waiters.end(MessagingError(.unavailable, "this broker lost its lease of the store and joins anew, try again"))
    }

    /// - Throws: ``MessagingError`` where it is no name of a group.
    func check(group: String) throws(MessagingError) {
        guard !group.isEmpty, group.utf8.count <= PublishRules.maxNameBytes else {
            throw MessagingError(
                .invalid, "the group's name is empty or has more than \(PublishRules.maxNameBytes) bytes")
        }
    }
}
