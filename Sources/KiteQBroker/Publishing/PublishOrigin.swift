/// Who published: a client with its connection, or a call without one.
enum PublishOrigin: Sendable {
    case connection(Connection)
    case call(PublishCall)

    /// The publishing side's own group.
    var group: String {
        switch self {
        case .connection(let connection): connection.group
        case .call(let call): call.group
        }
    }

    var identity: ObjectIdentifier {
        switch self {
        case .connection(let connection): ObjectIdentifier(connection)
        case .call(let call): ObjectIdentifier(call)
        }
    }

    func answer(_ results: [PublishResult]) {
        switch self {
        case .connection(let connection): connection.answer(results)
        case .call(let call): call.answer(results)
        }
    }
}
