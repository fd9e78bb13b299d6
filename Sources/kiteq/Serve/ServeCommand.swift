import ArgumentParser
import KiteQBroker
import Logging

/// `kiteq serve`
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Run a broker.",
        discussion: """
            Says on standard output, in one line, when and where it serves; logs go to standard error. SIGTERM or SIGINT \
            stops it in order: it leaves the registry, finishes what is in flight within a limit, writes what is to be \
            written, and ends with status 0. A second signal ends it at once. SIGHUP makes it read its configuration and \
            the files that it names again: what can change while it runs does, and a line in the log says what. Where \
            anything is wrong with it, all stays as it was.
            """)

    @OptionGroup var options: ServerArguments

    func run() async throws {
        let loader = try options.loader()
        let configuration = try loader.load()
        let logger = ProcessWide.bootstrap(configuration.log)
        ProcessWide.prepareToServe()
        for variable in loader.unknownVariables {
            logger.warning("the environment variable \(variable) is no option of kiteq and does nothing")
        }
        let options = self.options
        let host = try BrokerHost(
            configuration, again: { Result { () throws(CommandError) in try options.loader().load() } }, logger: logger)
        let stop = Latch()
        try await SignalWatch.run(stop, onHangup: { await host.hangUp() }) {
            try await host.run(stop: stop) { serving in
                StandardOutput.print(serving.line)
                return false
            }
        }
    }
}
