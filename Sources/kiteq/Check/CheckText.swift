import Foundation
import KiteQCore
import KiteQStore

/// What was found, for a person and for a program.
enum CheckText {
    /// One line each, and one more that sums them up.
    static func table(_ lines: [CheckLine]) -> String {
        var width = 0
        for line in lines { width = max(width, line.place.count) }
        var text = lines.map { line in
            let level = line.level.rawValue.padding(toLength: 5, withPad: " ", startingAt: 0)
            let place = line.place.padding(toLength: width, withPad: " ", startingAt: 0)
            return VisibleText.escaped("\(level) \(place)  \(line.subject): \(line.text)")
        }
        let (bad, warn) = (lines.count { $0.level == .bad }, lines.count { $0.level == .warn })
        text.append(bad + warn == 0 ? "all is well" : "\(bad) bad, \(warn) to be warned of")
        return text.joined(separator: "\n")
    }

    private struct Document: Encodable {
        var status: String
        var lines: [Line]
    }

    private struct Line: Encodable {
        var level: String
        var place: String
        var subject: String
        var text: String
    }

    /// `{"lines":[{"level","place","subject","text"}],"status"}`: the status is the worst level.
    static func json(_ lines: [CheckLine]) throws -> String {
        let document = Document(
            status: lines.level.rawValue,
            lines: lines.map {
                Line(level: $0.level.rawValue, place: $0.place, subject: $0.subject, text: $0.text)
            })
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(document), as: UTF8.self)
    }
}
