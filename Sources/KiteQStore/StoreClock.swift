import KiteQCore

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// Unix milliseconds, for what is only remembered and swept out: leases go by the server's clock.
enum StoreClock {
    static func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(time.tv_sec) * 1_000 + Timestamp(time.tv_nsec) / 1_000_000
    }
}
