/// How one group shows that it is itself, and what it may do.
package struct GroupAccess: Sendable, Hashable {
    /// Any of these will do, so that one can take the place of another without an outage.
    package var secrets: [GroupSecret]
    /// A name (a subject's common name, or a DNS name) that its client certificate must have; nil: none is asked for.
    package var certificate: String?
    package var publish: TopicRights
    package var subscribe: TopicRights
    /// The largest body that its consumers take, in bytes; nil: any. What is larger is not published to it.
    package var maxBody: Int?

    package init(
        secrets: [GroupSecret] = [], certificate: String? = nil, publish: TopicRights = .all,
        subscribe: TopicRights = .all, maxBody: Int? = nil
    ) {
        self.secrets = secrets
        self.certificate = certificate
        self.publish = publish
        self.subscribe = subscribe
        self.maxBody = maxBody
    }

    /// Whether it shows anything at all.
    package var isProtected: Bool { !secrets.isEmpty || certificate != nil }
}
