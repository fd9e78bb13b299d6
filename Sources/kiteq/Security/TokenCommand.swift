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
              kiteq token make --name team-pay --role read --topic trade --group s-payment --group s-refund
            """)

    @Option(help: "Whose it is: the audit log says it.")
    var name: String

    @Option(help: "counts: may look at counts, names and states; read: at messages too; operate: may act too.")
    var role: AdminToken.Role

    @Option(help: "A topic that it is for, several times for several. Default: all.")
    var topic: [String] = []

    @Option(help: "A group that it is for, several times for several. Default: all.")
    var group: [String] = []

    @Option(help: ArgumentHelp("Its last day, in UTC. Default: none.", valueName: "date"))
    var expires: String?

    func validate() throws {
        try ClientArguments.check(name, "--name")
        for topic in topic { try ClientArguments.check(topic, "--topic") }
        for group in group { try ClientArguments.check(group, "--group") }
        if max(topic.count, group.count) > TokensFile.maxNames {
            throw ValidationError("At most \(TokensFile.maxNames) topics, and as many groups.")
        }
        if (topic + group).contains("*") {
            throw ValidationError("\"*\" is no name here: leave --topic or --group out where it is for all.")
        }
        if let expires, TokensFile.endOfDay(.string(expires)) == nil {
            throw ValidationError("--expires takes a date, such as 2027-12-31.")
        }
    }

    func run() throws {
        let token = RandomText.make()
        StandardOutput.print(token)
        let hash = TokensFile.hashName + Hexadecimal.text(AccessToken.hash(of: token))
        var entry = "[tokens.\(TOMLKey.text(name))]\nrole = \"\(role.rawValue)\""
        for (key, names) in [("topics", topic), ("groups", group)] where !names.isEmpty {
            entry += "\n\(key) = [\(names.map(TOMLKey.quoted).joined(separator: ", "))]"
        }
        entry += "\nhash = \"\(hash)\""
        if let expires { entry += "\nexpires = \(expires)" }
        StandardOutput.print(entry)
    }
}

extension AdminToken.Role: ExpressibleByArgument {}
