import Foundation

/// The built executable, run as a process of its own.
struct CommandProcess {
    struct Outcome {
        var status: Int32
        var output: String
        var error: String
    }

    /// Next to the tests' own bundle.
    static var executable: URL {
        let bundle = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        return bundle.deletingLastPathComponent().appendingPathComponent("kiteq")
    }

    let process = Process()
    private let output = Pipe()
    private let error = Pipe()

    /// Starts it, without any of our own KITEQ_ variables.
    /// - Parameter openFiles: files that it may open; nil: as many as we may.
    init(
        _ arguments: [String], environment: [String: String] = [:], input: String? = nil, openFiles: Int? = nil
    ) throws {
        if let openFiles {
            process.executableURL = URL(fileURLWithPath: "/bin/sh")
            let command = "ulimit -n \(openFiles) && exec \"$0\" \"$@\""
            process.arguments = ["-c", command, Self.executable.path] + arguments
        } else {
            process.executableURL = Self.executable
            process.arguments = arguments
        }
        process.environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("KITEQ_") }
            .merging(environment) { _, given in given }
        process.standardOutput = output
        process.standardError = error
        let pipe = Pipe()
        process.standardInput = pipe
        try process.run()
        if let input { try pipe.fileHandleForWriting.write(contentsOf: Data(input.utf8)) }
        try pipe.fileHandleForWriting.close()
    }

    /// The first line of its standard output: blocks until it is there or the output ends.
    func firstLine() throws -> String { try Self.line(output) }

    /// The next line of its standard error that says `text`.
    func errorLine(with text: String) throws -> String {
        while true {
            let line = try Self.line(error)
            if line.isEmpty || line.contains(text) { return line }
        }
    }

    private static func line(_ pipe: Pipe) throws -> String {
        var line: [UInt8] = []
        while let byte = try pipe.fileHandleForReading.read(upToCount: 1)?.first, byte != UInt8(ascii: "\n") {
            line.append(byte)
        }
        return String(decoding: line, as: UTF8.self)
    }

    /// Waits until it has ended. What it writes must fit into a pipe (64 KiB), as it does here.
    func wait() throws -> Outcome {
        let written = try output.fileHandleForReading.readToEnd() ?? Data()
        let complained = try error.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return Outcome(
            status: process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus,
            output: String(decoding: written, as: UTF8.self), error: String(decoding: complained, as: UTF8.self))
    }

    static func run(
        _ arguments: [String], environment: [String: String] = [:], input: String? = nil
    ) throws -> Outcome {
        try CommandProcess(arguments, environment: environment, input: input).wait()
    }
}
