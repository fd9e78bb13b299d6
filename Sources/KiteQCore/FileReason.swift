#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// Why a file that was named cannot be used, for a person: libraries say it in words of their own.
package enum FileReason {
    /// A clause to follow the file's name.
    /// - Parameter kind: what it should hold, with its article: `a certificate`.
    package static func clause(_ path: String, kind: String) -> String {
        errno = 0
        guard access(path, R_OK) != 0 else { return "holds no PEM text of \(kind)" }
        switch errno {
        case ENOENT, ENOTDIR: return "does not exist"
        case EACCES: return "may not be read by this process"
        default: return "cannot be read (\(String(cString: strerror(errno))))"
        }
    }
}
