import Glibc
import KiteQBroker
import KiteQCore
import Logging

/// One log record, and its two ways to be written. What came from a client cannot begin a line of its own.
struct LogRecord {
    var time: LogTime
    var level: Logger.Level
    var message: String
    var metadata: [(String, String)]

    /// `2026-07-29T12:00:00.123Z warning message key=value`, with a line feed.
    var text: String {
        var line = "\(time) \(level.rawValue) \(VisibleText.escaped(message))"
        for (key, value) in metadata {
            let value = VisibleText.escaped(value)
            line +=
                " \(VisibleText.escaped(key))=" + (value.contains { $0 == " " || $0 == "\"" } ? "\"\(value)\"" : value)
        }
        return line + "\n"
    }

    /// One object, with a line feed.
    var json: String {
        var line = "{\"time\":\"\(time)\",\"level\":\"\(level.rawValue)\",\"message\":\(JSONText.quoted(message))"
        for (key, value) in metadata {
            // The record's own fields stay what they are.
            let key = ["time", "level", "message"].contains(key) ? "\(key)_" : key
            line += ",\(JSONText.quoted(key)):\(JSONText.quoted(value))"
        }
        return line + "}\n"
    }
}

/// A moment in UTC with milliseconds, as logs write it.
struct LogTime: CustomStringConvertible {
    private let seconds: Int
    private let nanoseconds: Int

    init(seconds: Int, nanoseconds: Int) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    static var now: LogTime {
        let wall = SystemTime.wall()
        return LogTime(seconds: Int(wall / 1_000), nanoseconds: Int(wall % 1_000) * 1_000_000)
    }

    var description: String {
        var seconds = seconds
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func padded(_ number: Int, _ width: Int) -> String {
            let digits = "\(number)"
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        let day =
            "\(padded(Int(parts.tm_year) + 1_900, 4))-\(padded(Int(parts.tm_mon) + 1, 2))-\(padded(Int(parts.tm_mday), 2))"
        let clock = [parts.tm_hour, parts.tm_min, parts.tm_sec].map { padded(Int($0), 2) }.joined(separator: ":")
        return "\(day)T\(clock).\(padded(nanoseconds / 1_000_000, 3))Z"
    }
}
