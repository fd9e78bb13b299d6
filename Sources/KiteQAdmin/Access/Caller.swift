import HTTPTypes
package import KiteQCore

/// Who called, and what they may do, of which topics and groups.
///
/// What is named (a topic, a group) is refused before anything is looked up, so that the answer does not say whether there is such
/// a thing. What has an id (a message, a dead letter) is looked up, and what is out of scope is answered as what is not there.
package struct Caller: Sendable, Hashable {
    package var name: String
    package var role: Role
    package var scope: NameScope

    package init(name: String, role: Role, scope: NameScope = .all) {
        self.name = name
        self.role = role
        self.scope = scope
    }

    /// Whether the content of messages is shown, too.
    var seesContent: Bool { role >= .read }

    /// - Throws: ``Problem`` with 403.
    func checkRole(_ needed: Role) throws(Problem) {
        guard role >= needed else {
            throw .refused(.role, .forbidden, "\(name) has the role \(role.rawValue); this needs \(needed.rawValue)")
        }
    }

    /// For what is about the whole broker.
    /// - Throws: ``Problem`` with 403.
    func checkIsForAll() throws(Problem) {
        guard scope.isAll else {
            throw .refused(
                .scope, .forbidden,
                "\(name) is for some topics or groups alone; this is about the whole broker, and needs a token for all of them"
            )
        }
    }

    /// - Throws: ``Problem`` with 403 where a topic is named that is none of its own.
    func check(topic: String?) throws(Problem) {
        if let topic, !scope.has(topic: topic) {
            throw .refused(.scope, .forbidden, "\(name) is not for topic \(topic)")
        }
    }

    /// - Throws: ``Problem`` with 403 where a group is named that is none of its own.
    func check(group: String?) throws(Problem) {
        if let group, !scope.has(group: group) {
            throw .refused(.scope, .forbidden, "\(name) is not for group \(group)")
        }
    }
}
