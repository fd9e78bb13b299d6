import KiteQAdminClient

/// What is done with dead letters.
enum DeadLetterAct {
    case requeue
    case delete

    var name: String {
        switch self {
        case .requeue: "requeue"
        case .delete: "delete"
        }
    }

    var past: String { "\(name)d" }

    /// - Parameter reason: for the audit log.
    func request(
        _ selection: API.DeadLetterSelection, reason: String?
    ) throws(AdminClientError) -> API.Request<API.DeadLetterResult> {
        switch self {
        case .requeue: try API.requeueDeadLetters(selection, reason: reason)
        case .delete: try API.deleteDeadLetters(selection, reason: reason)
        }
    }
}
