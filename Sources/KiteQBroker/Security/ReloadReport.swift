/// What a reload changed: options by their names in the configuration file, sorted.
package struct ReloadReport: Sendable, Hashable, CustomStringConvertible {
    /// In force now; a file's option stands here too where only its content changed.
    package var applied: [String]
    /// Different in the file, and as before until a restart.
    package var needsRestart: [String]

    package init(applied: [String], needsRestart: [String]) {
        self.applied = applied.sorted()
        self.needsRestart = needsRestart.sorted()
    }

    /// One line for a person.
    package var description: String {
        let changed = applied.isEmpty ? "nothing changed" : "changed \(applied.joined(separator: ", "))"
        let rest = needsRestart.isEmpty ? "" : "; a restart is needed for \(needsRestart.joined(separator: ", "))"
        return changed + rest
    }
}
