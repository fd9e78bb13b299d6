import Foundation

/// Where a database server of this machine keeps its things: `data`, `tmp`, `server.log`, `server.pid`, `server.sock`.
struct DatabaseFolder: Sendable {
    let folder: String
    let socket: String
    /// Whose all of it is; nil: this process's own.
    let owner: SystemAccount?

    var data: String { folder + "/data" }
    /// Its own, since MariaDB clears away temporary tables at its start, and with them those of others in a shared folder.
    var temporary: String { folder + "/tmp" }
    var log: String { folder + "/server.log" }
    var pidFile: String { folder + "/server.pid" }
    /// Where a new database grows: it becomes `data` when it is whole.
    var newData: String { folder + "/data.new" }

    init(_ folder: URL, owner: SystemAccount? = nil) {
        let path = folder.standardizedFileURL.path
        self.folder = path
        self.owner = owner
        let inside = path + "/server.sock"
        // A socket's path has at most 107 bytes.
        socket = inside.utf8.count <= 107 ? inside : "/tmp/kiteq-\(getuid())-\(Self.hash(path)).sock"
    }

    /// FNV-1a: the same folder has the same socket.
    private static func hash(_ text: String) -> String {
        let hash = text.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        return String(hash, radix: 36)
    }

    /// Makes the database with `initialize`, given where, unless it is there.
    func prepare(_ initialize: (String) async throws -> Void) async throws {
        let files = FileManager.default
        do {
            try files.createDirectory(atPath: temporary, withIntermediateDirectories: true)
        } catch {
            throw LocalServerError("the folder \(folder) cannot be made: \(error.localizedDescription)")
        }
        if files.fileExists(atPath: data) { return }
        if files.fileExists(atPath: newData) { try files.removeItem(atPath: newData) }
        try files.createDirectory(atPath: newData, withIntermediateDirectories: false)
        for path in [folder, temporary, newData] { try owner?.own(path) }
        try await initialize(newData)
        try files.moveItem(atPath: newData, toPath: data)
    }

    /// A database server greets with a packet of protocol version 10; an error packet begins with 255.
    static func answers(port: Int) async -> Bool {
        guard let greeting = await LoopbackProbe.answer(port: port) else { return false }
        return greeting.count > 5 && greeting[4] == 10
    }
}
