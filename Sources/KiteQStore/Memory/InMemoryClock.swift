import KiteQCore

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// What stands for the server's clock.
enum InMemoryClock {
    static func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(time.tv_sec) * 1_000 + Timestamp(time.tv_nsec) / 1_000_000
    }
}
