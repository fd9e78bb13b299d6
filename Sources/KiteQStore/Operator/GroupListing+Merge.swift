import KiteQCore

extension GroupListing {
    /// Merges what each shard gave behind one name; a shard that failed gave nil.
    /// - Parameters:
    ///   - pauses: those of groups behind that name.
    ///   - limit: asked of each shard too; fewer than that were its last.
    init(_ streams: [[GroupReport]?], pauses: [GroupPause], limit: Int, failures: [ShardFailure]) {
        func isBefore(_ a: String, _ b: String) -> Bool { a.utf8.lexicographicallyPrecedes(b.utf8) }
        // Behind the last name of a shard that has more, what comes next of all is not known.
        let horizon = streams.compactMap { $0 }.filter { $0.count >= limit }.compactMap { $0.last?.name }
            .min(by: isBefore)
        var byName: [String: GroupReport] = [:]
        for report in streams.compactMap({ $0 }).joined() {
            byName[report.name] = byName[report.name]?.merged(with: report) ?? report
        }
        for pause in pauses { byName[pause.group, default: GroupReport(name: pause.group)].pause = pause }
        let known = byName.values.sorted { isBefore($0.name, $1.name) }
            .filter { report in horizon.map { !isBefore($0, report.name) } ?? true }
        let page = Array(known.prefix(limit))
        let hasMore = known.count > limit || horizon != nil
        self.init(groups: page, next: hasMore ? page.last?.name : nil, failures: failures)
    }
}
