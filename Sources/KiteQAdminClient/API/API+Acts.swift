package import Foundation

extension API {
    /// What somebody did, or was refused.
    package struct AuditEntry: Decodable, Sendable {
        package let id: String
        package let at: Date
        package let actor: String
        package let role: String
        package let remote: String
        package let action: String
        package let target: String
        package let detail: String
        package let outcome: String
    }

    /// What reading the configuration again changed.
    package struct ReloadReport: Decodable, Sendable {
        package let applied: [String]
        package let needsRestart: [String]
    }

    /// Which bindings of a group are to end; nil topics: all.
    struct Unbinding: Encodable {
        let reason: String
        let topics: [String]?
    }
}
