import KiteQ
import KiteQAdminClient
import KiteQBroker
import KiteQCore
import NIOCore

/// What a person is told about an error: one line, without a stack or a type's name.
func sentence(for error: any Error) -> String {
    let text =
        switch error {
        case let error as CommandError: error.description
        case let error as RegistryError: error.message
        case let error as StoreError: error.message
        case let error as BrokerError: error.description
        case let error as KiteQError: error.message
        case let error as IOError: error.description
        // Its line breaks are others', too, and not between sentences of ours.
        case let error as AdminClientError: VisibleText.escaped(error.description)
        case is CancellationError: "stopped before it was done"
        default: "\(error)"
        }
    // What a broker said may have been said to it by anybody.
    return VisibleText.escaped(text.split(whereSeparator: \.isNewline).joined(separator: " "))
}
