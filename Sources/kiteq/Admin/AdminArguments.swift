import ArgumentParser
import Foundation
import KiteQAdminClient
import KiteQCore

/// The flags of commands that ask a broker's administration: where it is, who asks, and how the answer is printed.
struct AdminArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Where a broker's administration is, such as http://127.0.0.1:13801 (KITEQ_ADMIN).", valueName: "url"))
    var admin: String?

    @Option(
        name: .customLong("admin-ca"),
        help: ArgumentHelp(
            "PEM certificates of who may have signed the administration's. Default: the system's.", valueName: "file"))
    var authoritiesFile: String?

    @Option(
        name: .customLong("admin-certificate"),
        help: ArgumentHelp("PEM, shown where the administration asks for a certificate.", valueName: "file"))
    var certificateFile: String?

    @Option(
        name: .customLong("admin-key"),
        help: ArgumentHelp("The key of --admin-certificate (PEM, without a passphrase).", valueName: "file"))
    var keyFile: String?

    @Option(help: ArgumentHelp("A file with the token, in one line. Default: KITEQ_TOKEN.", valueName: "file"))
    var tokenFile: String?

    @Flag(help: "Send the token unencrypted to a host that is not this one: whoever listens has it then.")
    var insecure = false

    @Option(
        help: ArgumentHelp(
            "How long an answer may take: 1s to 1h. Default: 30s, of many dead letters 10m.",
            valueName: "duration"),
        transform: Self.timeout)
    var timeout: Duration?

    @Flag(help: "Print what the broker answers as JSON: a document, or of pages an object a line.")
    var json = false

    func validate() throws {
        guard (certificateFile == nil) == (keyFile == nil) else {
            throw ValidationError("--admin-certificate and --admin-key go together.")
        }
    }

    /// A flag wins over a variable.
    /// - Parameter usual: how long an answer may take unless it is said.
    /// - Throws: ``CommandError``, with status 64 where the command line is wrong.
    func configuration(
        usual: Duration = .seconds(30), environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(CommandError) -> AdminClientConfiguration {
        let address = try address(environment)
        var token = environment["KITEQ_TOKEN"].flatMap { $0.isEmpty ? nil : $0 }
        if let tokenFile { token = try SecretFile.read(tokenFile, what: "the token", .unchecked) }
        do {
            var certificate: AdminClientCertificate?
            if let certificateFile, let keyFile {
                certificate = try AdminClientCertificate(file: certificateFile, keyFile: keyFile)
            }
            return try AdminClientConfiguration(
                address: address, token: token, authoritiesFile: authoritiesFile, certificate: certificate,
                allowsTokenInClear: insecure, timeout: timeout ?? usual)
        } catch {
            throw CommandError(error.description, status: error.isAboutFile ? .failure : .usage)
        }
    }

    private func address(_ environment: [String: String]) throws(CommandError) -> AdminAddress {
        let variable = environment["KITEQ_ADMIN", default: ""]
        guard let text = admin ?? (variable.isEmpty ? nil : variable) else {
            throw CommandError(
                "no administration: name it with --admin http://127.0.0.1:13801 (KITEQ_ADMIN)", status: .usage)
        }
        guard let address = AdminAddress(text) else {
            // What is wrong may be a password in it: it is not repeated.
            let name = admin == nil ? "KITEQ_ADMIN" : "--admin"
            throw CommandError(
                "\(name) must be http://HOST:PORT or https://HOST:PORT, without anything else",
                status: admin == nil ? .failure : .usage)
        }
        return address
    }

    private static func timeout(_ text: String) throws -> Duration {
        let range = Duration.seconds(1)...Duration.seconds(3_600)
        guard let duration = DurationText.parse(text), range.contains(duration) else {
            throw ValidationError("it must be \(DurationText.allowed(range))")
        }
        return duration
    }
}
