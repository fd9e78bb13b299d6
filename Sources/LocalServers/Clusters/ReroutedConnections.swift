import Foundation

/// Another way to ports of this machine for a program of any make: a library of this package that it loads before the C library
/// (`CReroutedConnections`).
enum ReroutedConnections {
    /// What a program is started with, besides its own, so that its connections to these ports go to those.
    ///
    /// - Throws: `LocalServerError` where the library is not next to this program.
    static func environment(_ ways: [Int: Int]) throws -> [String: String] {
        let library = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
            .deletingLastPathComponent().appending(path: "libReroutedConnections.so")
        guard FileManager.default.fileExists(atPath: library.path) else {
            throw LocalServerError("\(library.path) is missing: build the whole package")
        }
        let text = ways.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
        return ["LD_PRELOAD": library.path, "REROUTED_CONNECTIONS": text]
    }
}
