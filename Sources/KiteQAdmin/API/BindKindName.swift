import KiteQCore

/// How a binding compares message types, by its name in the API.
enum BindKindName: String, Codable, CaseIterable, Sendable {
    case direct, regx, fanout

    init(_ kind: BindKind) {
        switch kind {
        case .direct: self = .direct
        case .regx: self = .regx
        case .fanout: self = .fanout
        }
    }

    var kind: BindKind {
        switch self {
        case .direct: .direct
        case .regx: .regx
        case .fanout: .fanout
        }
    }
}
