package import Foundation

/// A wall clock of its own for programs of this package, so far beside the right one; it can be set while they run.
///
/// A library of this package that such a program loads before the C library (`CShiftedClock`). Monotonic clocks stay what they
/// are, as they do where somebody sets a machine's clock.
package struct ShiftedClock: Sendable {
    private let file: URL
    private let library: URL

    /// A clock that is right at first.
    ///
    /// - Throws: `LocalServerError` where its library is not next to this program.
    package init(in folder: URL) throws {
        library = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent()
            .appending(path: "libShiftedClock.so")
        guard FileManager.default.fileExists(atPath: library.path) else {
            throw LocalServerError("\(library.path) is missing: build the whole package")
        }
        file = folder.appending(path: "clock")
        try Data(count: MemoryLayout<Int64>.size).write(to: file)
    }

    /// Sets the clock of all that run by it.
    ///
    /// - Parameter lead: in whole seconds; negative: behind the right one.
    package func set(ahead lead: Duration) throws {
        // In place: the programs have the file mapped.
        let handle = try FileHandle(forWritingTo: file)
        defer { handle.closeFile() }
        try withUnsafeBytes(of: lead.components.seconds) { try handle.write(contentsOf: Data($0)) }
    }

    /// What a program that goes by it has to be started with, besides its own.
    package var environment: [String: String] {
        ["LD_PRELOAD": library.path, "SHIFTED_CLOCK_FILE": file.path]
    }
}
