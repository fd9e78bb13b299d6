import CZooKeeper
import KiteQCore

/// An answer of the ZooKeeper client other than "done".
struct ZooKeeperError: Error, Equatable, CustomStringConvertible {
    /// One of `ZOO_ERRORS`.
    var code: Int32
    /// What was asked for, as "create /kiteq/sub/trade".
    var operation: String

    init(_ code: Int32, _ operation: String) {
        self.code = code
        self.operation = operation
    }

    /// Whether no session and no waiting will change the answer.
    var isPermanent: Bool {
        [ZNOAUTH, ZAUTHFAILED, ZINVALIDACL, ZBADARGUMENTS].contains { $0.rawValue == code }
    }

    /// Whether a server answered, and of what was asked for rather than of the session.
    var isAnswer: Bool {
        code < ZAPIERROR.rawValue
            && ![ZSESSIONEXPIRED, ZCLOSING, ZNOTHING, ZSESSIONMOVED].contains { $0.rawValue == code }
    }

    /// The server's reason alone, a clause.
    var reason: String {
        switch code {
        case ZNOAUTH.rawValue: "its ACL does not let this user in"
        case ZAUTHFAILED.rawValue: "the user and password are refused"
        default: "ZooKeeper says '\(String(cString: zerror(code)))'"
        }
    }

    var description: String { "\(operation): \(String(cString: zerror(code)))" }

    var asRegistryError: RegistryError {
        switch code {
        case ZNOAUTH.rawValue, ZAUTHFAILED.rawValue, ZINVALIDACL.rawValue:
            RegistryError(
                .denied, "ZooKeeper refuses (\(self)); the nodes belong to another user: check user and password.")
        case ZBADARGUMENTS.rawValue: RegistryError(.invalid, "ZooKeeper cannot do this (\(self)).")
        case ZCLOSING.rawValue: RegistryError(.closed, "The registry is closed (\(operation)).")
        default: RegistryError(.unavailable, "ZooKeeper failed (\(self)).")
        }
    }
}
