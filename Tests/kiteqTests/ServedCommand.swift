import Foundation

/// `kiteq serve` on a store in memory, with a folder of its own, for the time of a test.
struct ServedCommand {
    let folder: URL
    let process: CommandProcess
    /// HOST:PORT of clients and of the administration.
    let (address, admin): (String, String)

    /// - Parameter files: by name, for their owner alone; options name them with `FOLDER/NAME`.
    init(_ files: [String: String] = [:], options: [String] = [], openFiles: Int? = nil) throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("kiteq-\(UUID().uuidString)")
        let folder = self.folder
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let registry = ["registry.yaml": "bindings: []\n"]
        for (name, text) in registry.merging(files, uniquingKeysWith: { $1 }) {
            try SecretText.write(text, to: folder.appendingPathComponent(name).path)
        }
        let always = [
            "serve", "--topics", "trade", "--store", "memory://", "--bind", "127.0.0.1:0", "--admin", "127.0.0.1:0",
            "--registry", "file://\(folder.path)/registry.yaml",
        ]
        process = try CommandProcess(
            always + options.flatMap { ["--set", $0.replacingOccurrences(of: "FOLDER", with: folder.path)] },
            openFiles: openFiles)
        let line = try process.firstLine()
        func after(_ word: String) -> String {
            guard let found = line.range(of: word) else { return "" }
            return String(line[found.upperBound...].prefix { $0 != " " && $0 != ")" })
        }
        (address, admin) = (after(" on "), after("admin http://"))
    }

    func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

    /// Reloads it, and returns what its log says of that.
    func hangUp() throws -> String {
        kill(process.process.processIdentifier, SIGHUP)
        return try process.errorLine(with: "reloaded")
    }

    /// The status and the body of an answer of the administration.
    func get(_ path: String, token: String? = nil) throws -> (status: Int, text: String) {
        let socket = try LoopbackSocket(to: admin)
        defer { socket.close() }
        let authorization = token.map { "Authorization: Bearer \($0)\r\n" } ?? ""
        socket.send("GET \(path) HTTP/1.1\r\nHost: localhost\r\n\(authorization)Connection: close\r\n\r\n")
        let answer = socket.receiveAll()
        let status = answer.split(separator: " ").dropFirst().first.flatMap { Int($0) }
        return (status ?? 0, answer.firstRange(of: "\r\n\r\n").map { String(answer[$0.upperBound...]) } ?? "")
    }

    /// Seconds of processor time that it has had.
    func processorTime() throws -> Double {
        let stat = try String(contentsOfFile: "/proc/\(process.process.processIdentifier)/stat", encoding: .utf8)
        // Behind the name, which is in parentheses, the 12th and 13th are ticks of 10 ms.
        let fields = stat.drop { $0 != ")" }.split(separator: " ")
        return fields[12...13].reduce(0) { $0 + (Double($1) ?? 0) } / 100
    }

    func end() throws {
        process.process.terminate()
        process.process.waitUntilExit()
        try FileManager.default.removeItem(at: folder)
    }
}
