package import Foundation

/// What all servers of this machine need: a port, a folder, a program.
package enum LocalServers {
    /// A TCP port that nothing listens on at 127.0.0.1.
    ///
    /// Taken below the range that the kernel uses for outgoing connections, so that none of those takes it before the server
    /// does.
    package static func freePort() throws -> Int {
        for _ in 0..<200 {
            let port = Int.random(in: 20_000..<32_000)
            if try canListen(on: port) { return port }
        }
        throw LocalServerError("no free port was found on 127.0.0.1 between 20000 and 32000")
    }

    private static func canListen(on port: Int) throws -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else {
            throw LocalServerError("no socket could be made: \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var on: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        return LoopbackProbe.withAddress(port: port) { bind(descriptor, $0, $1) == 0 && listen(descriptor, 1) == 0 }
    }

    /// A new folder for one server's data, named after this process. Folders that processes of the past left are removed.
    package static func temporaryFolder(_ name: String) throws -> URL {
        let files = FileManager.default
        let parent = files.temporaryDirectory
        let prefix = "kiteq-local-"
        for old in try files.contentsOfDirectory(atPath: parent.path) where old.hasPrefix(prefix) {
            guard let owner = old.dropFirst(prefix.count).split(separator: "-").first.flatMap({ pid_t($0) }),
                Glibc.kill(owner, 0) != 0, errno == ESRCH
            else { continue }
            do {
                try files.removeItem(at: parent.appending(path: old))
            } catch {
                // Another process cleans up too, and this is only a courtesy: what is left now is removed next time.
                continue
            }
        }
        let folder = parent.appending(path: "\(prefix)\(getpid())-\(name)-\(UUID().uuidString.prefix(8))")
        try files.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder
    }

    /// The path of a program: in PATH, then where Debian keeps servers.
    package static func program(_ names: String..., package: String) throws -> String {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let folders = path.split(separator: ":").map(String.init) + ["/usr/sbin", "/usr/bin"]
        for name in names {
            for folder in folders {
                let file = "\(folder)/\(name)"
                if access(file, X_OK) == 0 { return file }
            }
        }
        throw LocalServerError("\(names[0]) is not in PATH, /usr/sbin or /usr/bin: install the package \(package)")
    }

    /// Why something cannot be had on this machine, as a sentence; nil where `look` throws nothing.
    static func missing(_ look: () throws -> Void) -> String? {
        do {
            try look()
            return nil
        } catch {
            return "\(error)"
        }
    }
}
