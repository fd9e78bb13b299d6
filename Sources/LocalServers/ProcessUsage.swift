import Foundation

/// What a process has used so far, and has, as the kernel counts it.
package struct ProcessUsage: Sendable {
    /// Seconds of CPU since its start, of all its threads, user's and system's.
    package var cpu: Double
    /// Bytes of resident memory.
    package var resident: Int
    /// The most there was of it since its start, or since `resetPeak`.
    package var peak: Int

    /// - Throws: `LocalServerError` where there is no such process.
    package init(of pid: Int32) throws {
        // The name in the second field may hold anything, blanks and brackets too: what follows it is counted from its end.
        let stat = try Self.read("stat", pid)
        let fields = stat[(stat.lastIndex(of: ")") ?? stat.startIndex)...].split(separator: " ")
        guard fields.count > 13, let user = Double(fields[12]), let system = Double(fields[13]) else {
            throw LocalServerError("/proc/\(pid)/stat cannot be read")
        }
        cpu = (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
        let status = try Self.read("status", pid)
        resident = try Self.bytes("VmRSS", status)
        peak = try Self.bytes("VmHWM", status)
    }

    /// Peaks count from now on: proc(5), clear_refs.
    package static func resetPeak(of pid: Int32) throws {
        try Data("5".utf8).write(to: URL(fileURLWithPath: "/proc/\(pid)/clear_refs"))
    }

    private static func read(_ file: String, _ pid: Int32) throws -> String {
        do {
            return try String(contentsOfFile: "/proc/\(pid)/\(file)", encoding: .utf8)
        } catch {
            throw LocalServerError("the process \(pid) is gone: \(error)")
        }
    }

    private static func bytes(_ field: String, _ status: String) throws -> Int {
        let line = status.split(separator: "\n").first { $0.hasPrefix("\(field):") }
        guard let words = line?.split(whereSeparator: \.isWhitespace), words.count > 1, let kibibytes = Int(words[1])
        else { throw LocalServerError("/proc has no \(field)") }
        return kibibytes * 1_024
    }
}
