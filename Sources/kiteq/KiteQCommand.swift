import ArgumentParser
import Glibc

/// The `kiteq` command.
///
/// A command line that is wrong ends with status 64 and its usage; anything else that goes wrong with status 1 and one
/// sentence on standard error.
@main
struct KiteQCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kiteq",
        abstract: "KiteQ: a transactional message broker whose messages live in MySQL.",
        discussion: """
            To try it out, with everything on this machine:    kiteq dev
            To see it at work:                                 kiteq dev --demo

            Every option of serve is also an environment variable (--store is KITEQ_STORE) and a key of the \
            configuration file (see conf/kiteq.toml). A flag wins over the variable, that over the file.

            Commands for operators take --admin or KITEQ_ADMIN, and a token from --token-file or KITEQ_TOKEN.
            """,
        version: Version.current,
        subcommands: [
            DevCommand.self, ServeCommand.self, MigrateCommand.self, CheckCommand.self, PublishCommand.self,
            ConsumeCommand.self,
            SecretCommand.self, TokenCommand.self, BenchCommand.self, EchoCommand.self,
        ],
        groupedSubcommands: [
            CommandGroup(
                name: "Operator",
                subcommands: [
                    TopCommand.self, MessagesCommand.self, GroupsCommand.self, TopicsCommand.self,
                    TransactionsCommand.self, DeadLettersCommand.self, BrokersCommand.self, ShardsCommand.self,
                    AuditCommand.self, DrainCommand.self, ReloadCommand.self,
                ])
        ])

    static func main() async {
        // A reader that went away (kiteq consume | head) is an error to report or to end at, not a signal to die by.
        signal(SIGPIPE, SIG_IGN)
        var command: any ParsableCommand
        do {
            command = try parseAsRoot()
        } catch {
            exit(withError: error)
        }
        do {
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch let error where exitCode(for: error) != .failure {
            // The parser's own: help that was asked for, or a status without words.
            exit(withError: error)
        } catch {
            StandardError.write("kiteq: \(sentence(for: error))\n")
            Glibc.exit(((error as? CommandError)?.status ?? .failure).rawValue)
        }
    }
}
