import MariaDB

/// Servers that have others beside them.
extension CheckRules {
    // MARK: Galera

    static func galera(_ facts: ServerFacts, _ lines: inout CheckLines) {
        let status = facts.status["wsrep_cluster_status"] ?? "unknown"
        let state = facts.status["wsrep_local_state_comment"] ?? "unknown"
        if facts.status["wsrep_ready"]?.uppercased() != "ON" || status != "Primary" {
            lines.add(.bad, "galera", "the node is not ready (wsrep_ready, cluster status \(status), state \(state))")
        } else if state != "Synced" {
            lines.add(.warn, "galera", "the node is \(state), not Synced")
        } else {
            lines.add(.ok, "galera", "ready, \(status), \(state)")
        }
        nodes(Int(facts.statusNumber("wsrep_cluster_size") ?? 0), "wsrep_cluster_size", &lines)
        rows(facts, &lines)
        size(facts.number("wsrep_max_ws_size"), "wsrep_max_ws_size", &lines)
        if let mode = facts.variables["innodb_autoinc_lock_mode"], mode != "2" {
            lines.add(.bad, "innodb_autoinc_lock_mode", "\(mode): Galera needs 2")
        }
        if facts.isOn("wsrep_auto_increment_control") {
            lines.add(.ok, "wsrep_auto_increment_control", "ON: nodes do not give out the same numbers")
        } else {
            lines.add(.warn, "wsrep_auto_increment_control", "OFF: two nodes may give out the same number")
        }
        if let fragment = facts.number("wsrep_trx_fragment_size"), fragment > 0 {
            lines.add(.warn, "wsrep_trx_fragment_size", "\(fragment): streaming replication was not tried; set 0")
        }
    }

    private static func nodes(_ count: Int, _ subject: String, _ lines: inout CheckLines) {
        switch count {
        case ..<2: lines.add(.warn, subject, "\(count): when this server is lost nothing is left")
        case 2: lines.add(.warn, subject, "2: when one is lost the other has no majority; use three")
        default: lines.add(.ok, subject, "\(count)")
        }
    }

    private static func rows(_ facts: ServerFacts, _ lines: inout CheckLines) {
        guard let limit = facts.number("wsrep_max_ws_rows") else { return }
        if limit == 0 {
            lines.add(.ok, "wsrep_max_ws_rows", "0: no limit")
        } else if limit < 2_000 {
            lines.add(
                .warn, "wsrep_max_ws_rows", "\(limit): transactions are split, and each refused one costs time; set 0")
        } else {
            lines.add(.ok, "wsrep_max_ws_rows", "\(limit)")
        }
    }

    /// - Parameter limit: bytes; 0 is none.
    private static func size(_ limit: Int64?, _ subject: String, _ lines: inout CheckLines) {
        guard let limit else { return }
        let text = limit < 1 << 20 ? "\(limit) bytes" : "\(limit >> 20) MiB"
        if limit == 0 {
            lines.add(.ok, subject, "0: no limit")
        } else if limit < leastTransaction {
            lines.add(
                .bad, subject, "\(text): a message of 2 MiB does not pass; set \(wholeTransaction >> 20) MiB or more")
        } else if limit < wholeTransaction {
            lines.add(
                .warn, subject, "\(text): large transactions are split; set \(wholeTransaction >> 20) MiB or more")
        } else {
            lines.add(.ok, subject, text)
        }
    }

    // MARK: Group replication

    static func groupReplication(_ facts: ServerFacts, _ lines: inout CheckLines) {
        switch facts.members {
        case .needs(let privilege): lines.add(.ok, "group members", "not looked at: the user lacks \(privilege)")
        case .known(let members):
            let own = members.first { $0.isThisOne } ?? members.first
            let state = own?.state ?? "OFFLINE"
            if state != "ONLINE" {
                lines.add(.bad, "group replication", "the server is \(state), not ONLINE")
            } else {
                lines.add(.ok, "group replication", "ONLINE, \(own?.role ?? "")")
            }
            nodes(members.count { $0.state == "ONLINE" }, "group members", &lines)
            if facts.takesWrites, state != "ONLINE" {
                lines.add(
                    .bad, "super_read_only",
                    "OFF on a server that is not in its group: the group never sees what is stored here")
            }
        }
        if facts.isOn("group_replication_single_primary_mode") {
            lines.add(.ok, "group_replication_single_primary_mode", "ON")
        } else {
            lines.add(
                .warn, "group_replication_single_primary_mode",
                "OFF: several primaries were not tried; brokers use one server at a time all the same")
        }
        let consistency = facts.variables["group_replication_consistency"] ?? "unknown"
        if consistency.uppercased() == "EVENTUAL" {
            lines.add(
                .warn, "group_replication_consistency",
                "EVENTUAL: a new primary answers before it has applied what the old one had committed; set BEFORE_ON_PRIMARY_FAILOVER"
            )
        } else {
            lines.add(.ok, "group_replication_consistency", consistency)
        }
        if let seconds = facts.number("group_replication_unreachable_majority_timeout"), seconds > 0 {
            lines.add(.ok, "group_replication_unreachable_majority_timeout", "\(seconds) s")
        } else {
            lines.add(
                .bad, "group_replication_unreachable_majority_timeout",
                "0, without end: a primary that is cut off from its group keeps its brokers waiting until somebody heals it; set some seconds"
            )
        }
        size(
            facts.number("group_replication_transaction_size_limit"), "group_replication_transaction_size_limit", &lines
        )
        if !facts.isOn("group_replication_start_on_boot") {
            lines.add(
                .warn, "group_replication_start_on_boot",
                "OFF: a member that is started and not yet in the group takes writes unless super_read_only = ON is in its option file, which cannot be seen from here"
            )
        }
    }

    // MARK: Semi-synchronous replication

    static func semiSync(_ facts: ServerFacts, _ lines: inout CheckLines) {
        // MySQL's new names, its old ones, which MariaDB has too.
        for name in ["rpl_semi_sync_source", "rpl_semi_sync_master"] where facts.isOn(name + "_enabled") {
            let point = facts.variables[name + "_wait_point"] ?? "unknown"
            if point.uppercased() == "AFTER_SYNC" {
                lines.add(.ok, name + "_wait_point", point)
            } else {
                lines.add(
                    .bad, name + "_wait_point",
                    "\(point): others see a commit that no replica has yet; set AFTER_SYNC")
            }
            let replicas = facts.statusNumber(name + "_clients") ?? 0
            if replicas > 0 {
                lines.add(.ok, name + "_clients", "\(replicas) attached")
            } else {
                lines.add(
                    .bad, name + "_clients", "no replica is attached: commits wait, or are acknowledged without one")
            }
            if facts.status[name + "_status"]?.uppercased() == "OFF" {
                lines.add(.bad, name + "_status", "OFF: commits are acknowledged without a replica")
            }
            let timeout = facts.number(name + "_timeout") ?? 0
            if timeout < 86_400_000 {
                lines.add(
                    .warn, name + "_timeout",
                    "\(timeout) ms, after which commits are acknowledged without a replica, and a failover loses them; set a day or more"
                )
            } else {
                lines.add(.ok, name + "_timeout", "\(timeout) ms")
            }
        }
    }

    // MARK: Together

    /// The hosts of one shard's URL.
    static func together(_ hosts: [ServerFacts], place: String) -> [CheckLine] {
        var lines = CheckLines(place)
        let writable = hosts.filter(\.takesWrites)
        let servers = Set(writable.flatMap(\.identities))
        if writable.isEmpty {
            lines.add(.bad, "writers", "no host takes writes")
        } else if servers.count <= 1 {
            lines.add(.ok, "writers", "one server takes writes")
        } else if let cluster = writable[0].cluster, writable.allSatisfy({ $0.cluster == cluster }) {
            lines.add(
                .ok, "writers",
                "\(servers.count) servers of one cluster take writes; a broker uses one, and all brokers should name the same one first"
            )
        } else {
            lines.add(
                .bad, "writers",
                "\(servers.count) servers that are not of one cluster take writes (\(writable.map(\.address).joined(separator: ", "))): what is stored on the wrong one is lost; set read_only on all but one"
            )
        }
        let waits = hosts.contains { host in
            host.cluster != nil
                || ["rpl_semi_sync_source_enabled", "rpl_semi_sync_master_enabled"].contains { host.isOn($0) }
        }
        if Set(hosts.flatMap(\.identities)).count > 1, !waits {
            lines.add(
                .warn, "replication",
                "several hosts, and none waits for another at COMMIT: a failover loses what was acknowledged last")
        }
        return lines.lines
    }
}
