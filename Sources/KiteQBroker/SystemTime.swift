package import KiteQCore
import NIOCore

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// The two clocks of the process; every rule gets its time from here, through its caller.
package enum SystemTime {
    /// Nanoseconds that never go back.
    package static func monotonic() -> MonotonicTime {
        MonotonicTime(NIODeadline.now().uptimeNanoseconds)
    }

    /// Unix milliseconds.
    package static func wall() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(time.tv_sec) * 1_000 + Timestamp(time.tv_nsec) / 1_000_000
    }
}
