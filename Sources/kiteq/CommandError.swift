/// Why a command ends, in one sentence for a person, and with which exit status.
///
/// One rule for all commands: 64 where the command line is wrong (a flag, or what it was given, is not understood, is missing, or
/// contradicts another), 1 for everything else: variables, the configuration file and every other file, servers, results. A file
/// that a flag names and that cannot be used is the file's fault.
struct CommandError: Error, Hashable, CustomStringConvertible {
    /// What the shell sees.
    enum Status: Int32 {
        /// Something that is not as it should be: a server, a file, a result.
        case failure = 1
        /// The command line is wrong (EX_USAGE).
        case usage = 64
    }

    let description: String
    var status: Status
    /// The options whose values are wrong: whether that is the command line's fault depends on where they were said.
    var options: [String] = []

    init(_ description: String, status: Status = .failure) {
        self.description = description
        self.status = status
    }

    /// - Parameter options: those that do not fit, by their keys; see ``judged(by:)``.
    init(_ description: String, about options: String...) {
        self.description = description
        status = .failure
        self.options = options
    }

    /// The same with the status that it has where options came from these places.
    func judged(by origins: [String: String]) -> CommandError {
        guard options.contains(where: { origins[$0]?.hasPrefix("--") == true }) else { return self }
        var error = self
        error.status = .usage
        return error
    }
}

extension CommandError {
    /// What a person and the shell see of it; where it came from is for ``judged(by:)`` alone.
    static func == (a: CommandError, b: CommandError) -> Bool {
        a.description == b.description && a.status == b.status
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(description)
        hasher.combine(status)
    }
}
