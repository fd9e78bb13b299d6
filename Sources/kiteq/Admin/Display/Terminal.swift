import Foundation
import Glibc

/// What standard output is.
enum Terminal {
    struct Size: Hashable, Sendable {
        var columns: Int
        var rows: Int
    }

    /// Of the terminal that standard output is; nil where it is none. One that does not know its size has 80 by 24.
    static var size: Size? {
        guard isatty(STDOUT_FILENO) == 1 else { return nil }
        var window = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &window) == 0, window.ws_col > 0, window.ws_row > 0 else {
            return Size(columns: 80, rows: 24)
        }
        return Size(columns: Int(window.ws_col), rows: Int(window.ws_row))
    }

    /// Whether somebody is there to be asked.
    static var isAnsweredByPerson: Bool { isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1 }

    /// NO_COLOR, whatever it says but nothing, means none (no-color.org).
    static func hasColors(environment: [String: String] = ProcessInfo.processInfo.environment) -> Bool {
        environment["NO_COLOR", default: ""].isEmpty && environment["TERM"] != "dumb"
    }
}
