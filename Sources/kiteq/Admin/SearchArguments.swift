import ArgumentParser

/// Which of the names a list shows.
struct SearchArguments: ParsableArguments {
    @Option(help: ArgumentHelp("Those with this in their name, capital letters or not.", valueName: "part"))
    var search: String?

    func validate() throws {
        if let search { try ClientArguments.check(search, "--search") }
    }
}
