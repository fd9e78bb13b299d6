package import Foundation

/// Certificates of a test's own, made by `openssl`: an authority, a broker's for 127.0.0.1 and localhost, clients', and a stranger's.
package struct TestCertificates: Sendable {
    package let folder: URL

    package init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "kiteq-certificates-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try makeAuthority("ca", "Test CA")
        try makeAuthority("stranger", "Stranger")
        try make("server", subject: "broker", names: "IP:127.0.0.1,DNS:localhost")
    }

    package func remove() throws { try FileManager.default.removeItem(at: folder) }

    /// A PEM file.
    package func file(_ name: String) -> String { folder.appending(path: "\(name).pem").path }
    /// Its key.
    package func key(_ name: String) -> String { folder.appending(path: "\(name)-key.pem").path }

    /// Makes a certificate, or another one in its place.
    ///
    /// - Parameters:
    ///   - names: as in `subjectAltName`; nil: none.
    ///   - authority: who signs it.
    ///   - days: from now on; below 0 it has expired.
    package func make(
        _ name: String, subject: String, names: String? = nil, authority: String = "ca", days: Int = 2
    ) throws {
        try openssl(
            ["req", "-utf8", "-newkey"] + Self.curve
                + ["-subj", "/CN=\(subject)", "-keyout", "\(name)-key.pem", "-out", "\(name)-request.pem"])
        var sign = [
            "x509", "-req", "-in", "\(name)-request.pem", "-CA", "\(authority).pem", "-CAkey", "\(authority)-key.pem",
            "-CAcreateserial", "-days", "\(days)", "-out", "\(name).pem",
        ]
        if let names {
            try Data("subjectAltName=\(names)".utf8).write(to: folder.appending(path: "\(name)-names"))
            sign += ["-extfile", "\(name)-names"]
        }
        try openssl(sign)
    }

    /// An authority's list of the certificates that it has revoked.
    ///
    /// - Parameter isCurrent: else it should have been followed by another one long ago.
    package func makeRevocationList(
        _ name: String, revoking certificates: [String], authority: String = "ca", isCurrent: Bool = true
    ) throws {
        let configuration = "[ca]\ndefault_ca=d\n[d]\ndatabase=\(name)-index\ndefault_md=sha256\n"
        try Data(configuration.utf8).write(to: folder.appending(path: "\(name)-ca"))
        try Data().write(to: folder.appending(path: "\(name)-index"))
        let ca = ["ca", "-config", "\(name)-ca", "-cert", "\(authority).pem", "-keyfile", "\(authority)-key.pem"]
        for certificate in certificates { try openssl(ca + ["-revoke", "\(certificate).pem"]) }
        let time =
            isCurrent
            ? ["-crldays", "2"] : ["-crl_lastupdate", "20200101000000Z", "-crl_nextupdate", "20200102000000Z"]
        try openssl(ca + ["-gencrl"] + time + ["-out", "\(name).pem"])
    }

    private static let curve = ["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]

    private func makeAuthority(_ name: String, _ subject: String) throws {
        try openssl(
            ["req", "-x509", "-newkey"] + Self.curve
                + ["-days", "2", "-subj", "/CN=\(subject)", "-keyout", "\(name)-key.pem", "-out", "\(name).pem"])
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

    package struct Failure: Error {
        package let arguments: [String]
    }
}
