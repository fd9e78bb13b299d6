/// Who may do what in a cluster: what docs/install-on-a-cluster.md gives to its two users, and what else a run needs. None of them is
/// above `read_only`.
package enum ClusterAccounts {
    package static let (admin, adminPassword) = ("kite_admin", "of-the-admin")
    package static let (broker, brokerPassword) = ("kite", "of-the-broker")
    /// Writes to a database of its own, to see when anybody could.
    package static let (probe, probePassword) = ("probe", "of-the-probe")
    package static let probeDatabase = "probe"
    /// Looks at a node's state for a proxy.
    static let health = "health"
    static let (replica, replicaPassword) = ("repl", "of-the-replica")

    static var statements: [String] {
        [
            "CREATE USER '\(admin)'@'%' IDENTIFIED BY '\(adminPassword)'",
            """
            GRANT CREATE, ALTER, INDEX, DROP, SELECT, INSERT, UPDATE, DELETE ON `kite\\_%`.* TO '\(admin)'@'%'
            """,
            "CREATE USER '\(broker)'@'%' IDENTIFIED BY '\(brokerPassword)'",
            "GRANT SELECT, INSERT, UPDATE, DELETE ON `kite\\_%`.* TO '\(broker)'@'%'",
            "CREATE USER '\(probe)'@'localhost' IDENTIFIED BY '\(probePassword)'",
            "CREATE DATABASE \(probeDatabase)",
            "GRANT SELECT, INSERT, UPDATE, DELETE ON \(probeDatabase).* TO '\(probe)'@'localhost'",
            "CREATE TABLE \(probeDatabase).beat (node INT PRIMARY KEY, number BIGINT NOT NULL)",
            "CREATE USER '\(health)'@'%'",
        ]
    }

    static func url(user: String, password: String, ports: [Int], shards: Int) -> String {
        let hosts = ports.map { "127.0.0.1:\($0)" }.joined(separator: ",")
        return "mysql://\(user):\(password)@\(hosts)/kite?shards=\(shards)"
    }
}
