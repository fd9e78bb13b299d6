import Glibc

/// How many files, sockets among them, the system lets this process have open.
enum DescriptorLimit {
    /// What it may be raised to, whatever the system allows: programs that are started from here may set memory aside for each.
    private static let most: rlim_t = 1 << 20

    static var current: Int { Int(clamping: limits.rlim_cur) }

    /// Raises it as far as the process may. The default of many systems, 1,024, is a courtesy to programs of old.
    static func raise() {
        var limits = limits
        let wanted = max(limits.rlim_cur, min(limits.rlim_max, most))
        guard wanted > limits.rlim_cur else { return }
        limits.rlim_cur = wanted
        // Whoever may not raise it has what there is, and is told by what is made of it.
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits)
    }

    private static var limits: rlimit {
        var limits = rlimit()
        // It can fail only for a bad argument.
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits)
        return limits
    }
}
