/// The cluster that a server is a member of: its members get each commit in one order.
public enum MariaDBCluster: Sendable, Hashable {
    /// By `wsrep_cluster_state_uuid`.
    case galera(String)
    /// By `group_replication_group_name`, and whether one member alone is to take writes.
    case groupReplication(String, singlePrimary: Bool)

    /// Whether several members may take writes at once.
    public var hasSeveralWriters: Bool {
        switch self {
        case .galera: true
        case .groupReplication(_, let singlePrimary): !singlePrimary
        }
    }

    static let syncGroupReads = "SET SESSION group_replication_consistency = 'BEFORE'"
    static let resetGroupReads = "SET SESSION group_replication_consistency = DEFAULT"

    /// After it a session's reads wait until its server has applied all that the cluster has committed before. It needs no privilege.
    public var syncReads: String {
        switch self {
        case .galera: "SET SESSION wsrep_sync_wait = 1"
        case .groupReplication: Self.syncGroupReads
        }
    }

    /// After it they are as the server's settings say.
    public var resetReads: String {
        switch self {
        case .galera: "SET SESSION wsrep_sync_wait = DEFAULT"
        case .groupReplication: Self.resetGroupReads
        }
    }
}
