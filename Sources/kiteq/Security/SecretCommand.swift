import ArgumentParser
import KiteQBroker
import KiteQCore

/// `kiteq secret`
struct SecretCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "secret", abstract: "Secrets of groups.", subcommands: [HashSecretCommand.self])
}

/// `kiteq secret hash`
struct HashSecretCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hash",
        abstract: "Make the line for groups.file from a group's secret.",
        discussion: """
            Reads the secret, one line, from standard input: what stands on a command line is seen by everybody on the \
            machine. With --generate it makes one, and prints it first, on a line of its own: it is nowhere else.

              kiteq secret hash --group s-payment < secret
              kiteq secret hash --group s-payment --generate
            """)

    @Option(help: ArgumentHelp("Print the group's whole entry.", valueName: "name"))
    var group: String?

    @Flag(help: "Make a secret of 256 bits.")
    var generate = false

    @Option(
        help: ArgumentHelp(
            "How often it is hashed, which each log-in costs again. For a secret that a person made up: 600000.",
            valueName: "n"))
    var rounds = SecretHash.defaultRounds

    func validate() throws {
        guard SecretHash.allowedRounds.contains(rounds) else {
            throw ValidationError(
                "--rounds takes a number from \(SecretHash.allowedRounds.lowerBound) to \(SecretHash.allowedRounds.upperBound)."
            )
        }
        if let group { try ClientArguments.check(group, "--group") }
    }

    func run() throws {
        let secret = generate ? RandomText.make() : try SecretInput.line()
        if generate { StandardOutput.print(secret) }
        let hash = SecretHash(of: secret, rounds: rounds).text
        guard let group else { return StandardOutput.print(hash) }
        StandardOutput.print("[groups.\(TOMLKey.text(group))]\nsecret = \"\(hash)\"\npublish = []\nsubscribe = []")
    }
}

/// A secret on standard input.
enum SecretInput {
    /// - Throws: ``CommandError`` where there is none.
    static func line() throws(CommandError) -> String {
        guard let line = readLine(strippingNewline: true), !line.isEmpty else {
            throw CommandError("no secret on standard input; --generate makes one")
        }
        return line
    }
}

/// Texts that nobody guesses.
enum RandomText {
    /// 256 bits, as 64 hexadecimal digits.
    static func make() -> String {
        var random = SystemRandomNumberGenerator()
        return Hexadecimal.text((0..<32).map { _ in UInt8.random(in: 0...255, using: &random) })
    }
}

/// A key of a TOML table.
enum TOMLKey {
    /// As JSON, but TOML knows no pairs of `\u`.
    static func quoted(_ name: String) -> String {
        var text = ""
        for scalar in name.unicodeScalars {
            let digits = String(scalar.value, radix: 16)
            let isBeyond = VisibleText.isHidden(scalar) && scalar.value > 0xFFFF
            text +=
                isBeyond
                ? "\\U" + String(repeating: "0", count: 8 - digits.count) + digits
                : String(JSONText.quoted(String(scalar)).dropFirst().dropLast())
        }
        return "\"\(text)\""
    }

    /// Bare where that is allowed, else with quotes.
    static func text(_ name: String) -> String {
        let isBare = name.utf8.allSatisfy {
            switch $0 {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
        return isBare && !name.isEmpty ? name : quoted(name)
    }
}
