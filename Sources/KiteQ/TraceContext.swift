import KiteQCore

/// The trace that a message belongs to, by W3C Trace Context: an application that publishes puts its own in, and one that
/// consumes goes on with it. The broker hands it on unchanged, as the properties `traceparent` and `tracestate`.
public struct TraceContext: Sendable, Hashable {
    /// `00-<32 digits>-<16 digits>-<2 digits>`, valid.
    public let traceparent: String
    /// What tracing systems say of it to themselves. Not looked at here; nil where there is none.
    public let tracestate: String?
    /// 32 lowercase hexadecimal digits.
    public let traceID: String
    /// 16 lowercase hexadecimal digits: the step that sent the message.
    public let parentID: String
    /// Whether the sender may have recorded the trace.
    public let isSampled: Bool

    /// Nil where `traceparent` is none by the grammar of the standard. An empty `tracestate` counts as none.
    public init?(traceparent: String, tracestate: String? = nil) {
        guard let parent = TraceParent(traceparent) else { return nil }
        self.traceparent = traceparent
        self.tracestate = tracestate.flatMap { $0.isEmpty ? nil : $0 }
        traceID = parent.traceID
        parentID = parent.parentID
        isSampled = parent.isSampled
    }

    fileprivate static let parentKey = "traceparent"
    fileprivate static let stateKey = "tracestate"

    fileprivate init?(_ properties: [String: String]) {
        guard let parent = properties[Self.parentKey] else { return nil }
        self.init(traceparent: parent, tracestate: properties[Self.stateKey])
    }
}

extension OutgoingMessage {
    /// The trace that it belongs to, kept among its ``properties``; nil where these have none that is valid.
    public var traceContext: TraceContext? {
        get { TraceContext(properties) }
        set {
            properties[TraceContext.parentKey] = newValue?.traceparent
            properties[TraceContext.stateKey] = newValue?.tracestate
        }
    }
}

extension IncomingMessage {
    /// The trace that its publisher said it belongs to; nil where it said none, or nothing valid.
    public var traceContext: TraceContext? { TraceContext(properties) }
}

extension TransactionCheck {
    /// The trace of the half message.
    public var traceContext: TraceContext? { TraceContext(properties) }
}
