import Foundation
import LocalServers

/// Where `kiteq dev` keeps its things: `mysql/` with the database, and `registry.yaml`.
struct DevFolder: Sendable {
    let url: URL
    /// Removed at the end.
    let isTemporary: Bool

    /// - Throws: ``CommandError`` where it cannot be made.
    init(path: String?) throws(CommandError) {
        do {
            if let path {
                url = URL(fileURLWithPath: path).standardizedFileURL
                isTemporary = false
                try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
            } else {
                url = try LocalServers.temporaryFolder("dev")
                isTemporary = true
            }
        } catch {
            throw CommandError(
                "the folder \(path ?? "for temporary files") cannot be made: \(error.localizedDescription)")
        }
    }

    var database: URL { url.appendingPathComponent("mysql") }
    var registry: URL { url.appendingPathComponent("registry.yaml") }

    /// Writes the example of a registry, unless there is one.
    func writeRegistry(broker: Endpoint, topics: [String]) throws(CommandError) {
        if FileManager.default.fileExists(atPath: registry.path) { return }
        do {
            try DevRegistry.example(broker: broker, topics: topics)
                .write(to: registry, atomically: true, encoding: .utf8)
        } catch {
            throw CommandError("\(registry.path) cannot be written: \(error.localizedDescription)")
        }
    }

    func removeIfTemporary() throws {
        if isTemporary { try FileManager.default.removeItem(at: url) }
    }
}
