package import KiteQCore

/// How one group shows that it is itself, and what it may do.
package struct GroupAccess: Sendable, Hashable {
    /// Any of these will do, so that one can take the place of another without an outage.
    package var secrets: [GroupSecret]
    /// A name (a subject's common name, or a DNS name) that its client certificate must have; nil: none is asked for.
    package var certificate: String?
    package var publish: TopicRights
    package var subscribe: TopicRights
    /// Groups that the headers of its messages may name beside itself.
    package var speaksFor: Set<BindingName>
    /// The largest body that its consumers take, in bytes; nil: any. What is larger is not published to it.
    package var maxBody: Int?
    /// Where it says nothing, what holds for all groups.
    package var limits: OwnGroupLimits

    package init(
        secrets: [GroupSecret] = [], certificate: String? = nil, publish: TopicRights = .all,
        subscribe: TopicRights = .all, speaksFor: Set<BindingName> = [], maxBody: Int? = nil,
        limits: OwnGroupLimits = .init()
    ) {
        self.secrets = secrets
        self.certificate = certificate
        self.publish = publish
        self.subscribe = subscribe
        self.speaksFor = speaksFor
        self.maxBody = maxBody
        self.limits = limits
    }

    /// The rounds of all its secrets together: what it costs to find that none of them is right.
    var price: Int { secrets.reduce(0) { $0 + $1.rounds } }

    /// What one comparison may cost: some 0.4 s of one core.
    package static let mostRounds = 2_000_000

    /// Why its secrets cannot be used together, as a sentence; nil where they can.
    package var problem: String? {
        price <= Self.mostRounds
            ? nil
            : "its secrets have \(price) rounds together, and each log-in would cost them; at most \(Self.mostRounds) are allowed"
    }

    /// Whether it shows anything at all.
    package var isProtected: Bool { !secrets.isEmpty || certificate != nil }
}
