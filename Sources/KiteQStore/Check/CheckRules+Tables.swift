import KiteQCore

/// The tables of a shard.
extension CheckRules {
    struct Tables: Sendable {
        /// What was applied, by version, with its checksum; nil where there are no tables.
        var applied: [Int: Int64]?
        /// The shard of each slot.
        var slots: [Int64] = []
        /// Whether FOR UPDATE SKIP LOCKED passes over a row that another connection has locked; nil where it was not tried.
        var skipsLocked: Bool?
    }

    static func tables(
        _ tables: Tables, place: String, map: ShardMap, migrations: [Migration] = Migration.all
    ) -> [CheckLine] {
        var lines = CheckLines(place)
        guard let applied = tables.applied else {
            lines.add(.bad, "tables", "there are none: run kiteq migrate")
            return lines.lines
        }
        let known = migrations.reduce(into: [Int: Int64]()) { $0[$1.version] = $1.checksum }
        let newest = applied.keys.max() ?? 0
        if let newer = applied.keys.filter({ known[$0] == nil }).max() {
            lines.add(.bad, "tables", "migration \(newer) is not known to this version of kiteq: use a newer one")
        } else if let changed = applied.filter({ known[$0.key] != $0.value }).keys.min() {
            lines.add(.bad, "tables", "migration \(changed) was changed after it was applied")
        } else if let missing = known.keys.filter({ applied[$0] == nil }).min() {
            lines.add(.bad, "tables", "migration \(missing) is missing: run kiteq migrate")
        } else {
            lines.add(.ok, "tables", "at migration \(newest), the newest")
        }
        if tables.slots == map.slots.map(Int64.init) {
            lines.add(.ok, "slots", "set up for \(map.shardCount) shard\(map.shardCount == 1 ? "" : "s")")
        } else if tables.slots.count < ShardMap.slotCount {
            lines.add(.bad, "slots", "\(tables.slots.count) of \(ShardMap.slotCount) are there: run kiteq migrate")
        } else {
            lines.add(
                .bad, "slots",
                "set up for \(Set(tables.slots).count) shards, and the configuration has \(map.shardCount)")
        }
        switch tables.skipsLocked {
        case true?: lines.add(.ok, "SKIP LOCKED", "it passes over rows that are locked")
        case false?: lines.add(.bad, "SKIP LOCKED", "the server does not pass over rows that are locked")
        case nil: break
        }
        return lines.lines
    }
}
