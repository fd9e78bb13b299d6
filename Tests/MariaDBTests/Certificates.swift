import Foundation

/// A CA, a server's certificate from it for 127.0.0.1 and localhost, and a CA that signed nothing.
struct Certificates {
    let folder: URL

    var caFile: String { folder.appending(path: "ca.pem").path }
    var strangerFile: String { folder.appending(path: "stranger.pem").path }

    /// The server's options.
    var options: [String] {
        ["ca", "cert", "key"].map { "--ssl-\($0)=\(folder.appending(path: $0 + ".pem").path)" }
    }

    init(in folder: URL) throws {
        self.folder = folder
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let new = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
        try openssl(new + ["-subj", "/CN=Test CA", "-keyout", "ca-key.pem", "-out", "ca.pem"])
        try openssl(new + ["-subj", "/CN=Stranger", "-keyout", "stranger-key.pem", "-out", "stranger.pem"])
        try openssl([
            "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=test", "-keyout", "key.pem", "-out", "request.pem",
        ])
        try "subjectAltName=IP:127.0.0.1,DNS:localhost".write(
            to: folder.appending(path: "names"), atomically: true, encoding: .utf8)
        try openssl([
            "x509", "-req", "-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca-key.pem", "-days", "2",
            "-CAcreateserial", "-extfile", "names", "-out", "cert.pem",
        ])
    }

    private func openssl(_ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        process.currentDirectoryURL = folder
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure(arguments: arguments) }
    }

    struct Failure: Error {
        let arguments: [String]
    }
}
