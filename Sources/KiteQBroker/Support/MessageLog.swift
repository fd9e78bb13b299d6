import KiteQCore
import Logging

/// What every line of the log that concerns a message has in its metadata. Its header is decoded for that: not for lines that
/// come with each message.
extension Message {
    /// `message`, `topic` and, where the message has a valid `traceparent`, `trace_id`.
    var logMetadata: Logger.Metadata {
        var metadata: Logger.Metadata = ["message": "\(id)", "topic": "\(topic)"]
        let parent = properties.first { $0.key == "traceparent" }
        if let trace = parent.flatMap({ TraceParent($0.value) }) { metadata["trace_id"] = "\(trace.traceID)" }
        return metadata
    }
}

extension Logger.Metadata {
    func with(_ more: Logger.Metadata) -> Logger.Metadata { merging(more) { $1 } }
}
