/// Whose a file is, and who may do what with it.
package struct FileFacts: Sendable, Hashable {
    /// Its user.
    package var owner: UInt32
    /// The lowest nine bits of its mode.
    package var mode: UInt32

    package init(owner: UInt32, mode: UInt32) {
        self.owner = owner
        self.mode = mode & 0o777
    }

    /// What is wrong with it as a file of secrets, and the command that mends it, to follow its path; nil where nothing is.
    ///
    /// - Parameter user: the process's own. Besides it only root, who reads everything anyway, may have such a file.
    package func objection(_ path: String, by rule: SecretFileRule, user: UInt32) -> String? {
        guard rule != .unchecked else { return nil }
        if owner != 0, owner != user {
            return
                "belongs to user \(owner), who is neither root nor the user of this process (\(user)); run: chown \(user) \(path)"
        }
        let allowed: UInt32 = rule == .private ? 0o750 : 0o755
        guard mode & ~allowed != 0 else { return nil }
        let who = mode & 0o022 != 0 ? "others may write it" : "everybody on this machine may read it"
        return "has mode \(Self.text(mode)), so \(who); run: chmod \(Self.text(mode & allowed & 0o666)) \(path)"
    }

    /// `0644`.
    package static func text(_ mode: UInt32) -> String {
        let digits = String(mode, radix: 8)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}
