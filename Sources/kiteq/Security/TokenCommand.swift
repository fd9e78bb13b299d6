import ArgumentParser
import KiteQAdmin
import KiteQBroker

/// `kiteq token`
struct TokenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Tokens for the administration's address.", subcommands: [MakeTokenCommand.self]
    )
}

/// `kiteq token make`
struct MakeTokenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "make",
        abstract: "Make a token and its entry for admin.tokens_file.",
        discussion: """
            Prints the token first, on a line of its own: it is nowhere else. The rest goes into the file, which has only \
            its hash.

              kiteq token make --name night-shift --role operate --expires 2027-12-31
            """)

    @Option(help: "Whose it is: the audit log says it.")
    var name: String

    @Option(help: "read: may look; operate: may act too.")
    var role: AdminToken.Role

    @Option(help: ArgumentHelp("Its last day, in UTC. Default: none.", valueName: "date"))
    var expires: String?

    func validate() throws {
        try ClientArguments.check(name, "--name")
        if let expires, TokensFile.endOfDay(.string(expires)) == nil {
            throw ValidationError("--expires takes a date, such as 2027-12-31.")
        }
    }

    func run() throws {
        let token = RandomText.make()
        StandardOutput.print(token)
        let hash = TokensFile.hashName + Hexadecimal.text(AccessToken.hash(of: token))
        var entry = "[tokens.\(TOMLKey.text(name))]\nrole = \"\(role.rawValue)\"\nhash = \"\(hash)\""
        if let expires { entry += "\nexpires = \(expires)" }
        StandardOutput.print(entry)
    }
}

extension AdminToken.Role: ExpressibleByArgument {}
