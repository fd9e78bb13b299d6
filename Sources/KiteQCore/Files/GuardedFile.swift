#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// A file as it was when it was read: its bytes, and whose it was.
package struct GuardedFile: Sendable, Hashable {
    package let path: String
    package let bytes: [UInt8]
    package let facts: FileFacts

    /// Why a file is not read.
    package struct Refusal: Error, Hashable, CustomStringConvertible {
        /// To follow the file's name.
        package let description: String
        /// There is no such file, or the system does not let this process read it; else it is the rule that forbids it.
        package let isUnreadable: Bool
    }

    /// The user whose rights this process has.
    package static var user: UInt32 { geteuid() }

    /// Reads it whole. Owner and mode are those of what is read, whatever its name leads to a moment later.
    ///
    /// - Parameter rule: who else may reach it.
    /// - Throws: ``Refusal``.
    package init(_ path: String, _ rule: SecretFileRule) throws(Refusal) {
        self.path = path
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw Self.unreadable(errno) }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw Self.unreadable(errno) }
        facts = FileFacts(owner: status.st_uid, mode: UInt32(status.st_mode))
        if let objection = facts.objection(path, by: rule, user: Self.user) {
            throw Refusal(
                description: "\(objection) (or say who may read it with broker.secret_files)", isUnreadable: false)
        }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = read(file, &piece, piece.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Self.unreadable(errno) }
            if count == 0 { break }
            bytes += piece[..<count]
        }
        self.bytes = bytes
    }

    private static func unreadable(_ code: Int32) -> Refusal {
        let why =
            switch code {
            case ENOENT, ENOTDIR: "does not exist"
            case EACCES: "may not be read by this process"
            default: "cannot be read (\(String(cString: strerror(code))))"
            }
        return Refusal(description: why, isUnreadable: true)
    }
}
