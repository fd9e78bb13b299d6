/// One thing that was looked at in a database, and what is to be said of it.
package struct CheckLine: Sendable, Hashable {
    package enum Level: String, Sendable, Hashable, CaseIterable, Comparable {
        case ok
        /// It works, with a gap that somebody should know of.
        case warn
        /// It does not work, or acknowledged messages can be lost.
        case bad

        package static func < (a: Level, b: Level) -> Bool {
            (allCases.firstIndex(of: a) ?? 0) < (allCases.firstIndex(of: b) ?? 0)
        }
    }

    package var level: Level
    /// `host:port`, or a shard's database; empty: all of them together.
    package var place: String
    /// A word or two that stay the same from version to version: a setting's name, `grants`, `clock`.
    package var subject: String
    /// One sentence without a full stop.
    package var text: String
}

extension [CheckLine] {
    /// The worst of them.
    package var level: CheckLine.Level { map(\.level).max() ?? .ok }
}

/// Lines of one place.
struct CheckLines {
    let place: String
    private(set) var lines: [CheckLine] = []

    init(_ place: String) { self.place = place }

    mutating func add(_ level: CheckLine.Level, _ subject: String, _ text: String) {
        lines.append(CheckLine(level: level, place: place, subject: subject, text: text))
    }
}
