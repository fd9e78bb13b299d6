import KiteQCore

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

enum StoreClock {
    /// Unix milliseconds by this machine's clock, which may be wrong; see ``Shard/now``.
    static func wall() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(time.tv_sec) * 1_000 + Timestamp(time.tv_nsec) / 1_000_000
    }

    /// Nanoseconds that go on while the machine sleeps.
    static func monotonic() -> MonotonicTime {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return MonotonicTime(time.tv_sec) * 1_000_000_000 + MonotonicTime(time.tv_nsec)
    }
}
