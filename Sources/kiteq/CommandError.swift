/// Why a command ends, in one sentence for a person, and with which exit status.
struct CommandError: Error, Hashable, CustomStringConvertible {
    /// What the shell sees.
    enum Status: Int32 {
        /// Something that is not as it should be: a server, a file, a result.
        case failure = 1
        /// The command line is wrong (EX_USAGE).
        case usage = 64
    }

    let description: String
    let status: Status

    init(_ description: String, status: Status = .failure) {
        self.description = description
        self.status = status
    }
}
