import Foundation

/// A user of this machine, whose rights a server is given.
struct SystemAccount: Sendable, Hashable {
    let user: uid_t
    let group: gid_t

    /// - Throws: `LocalServerError` where there is no such user.
    init(named name: String) throws {
        guard let entry = getpwnam(name) else { throw LocalServerError("this machine has no user \(name)") }
        (user, group) = (entry.pointee.pw_uid, entry.pointee.pw_gid)
    }

    /// Gives it a file or a folder.
    func own(_ path: String) throws {
        guard chown(path, user, group) == 0 else {
            throw LocalServerError("the owner of \(path) cannot be changed: \(String(cString: strerror(errno)))")
        }
    }
}
