package import KiteQCore
#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// The two clocks of the process; every rule gets its time from here, through its caller. What is compared with the store's
/// contents goes by ``ServerClock``.
package enum SystemTime {
    /// Nanoseconds that never go back, and go on while the machine is suspended: a lease must not outlive its end.
    package static func monotonic() -> MonotonicTime {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return MonotonicTime(time.tv_sec) * 1_000_000_000 + MonotonicTime(time.tv_nsec)
    }

    /// The milliseconds of `monotonic`.
    package static func steady() -> Timestamp { monotonic() / 1_000_000 }

    /// Unix milliseconds by this machine's clock, which may be wrong: for people, and before any server was asked.
    package static func wall() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(time.tv_sec) * 1_000 + Timestamp(time.tv_nsec) / 1_000_000
    }
}
