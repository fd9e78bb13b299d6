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
        // Seconds and nanoseconds, as timespec has them. Its members belong to whichever C module the compiler met first,
        // which is not always one that this file can import.
        var time: (seconds: Int, nanoseconds: Int) = (0, 0)
        withUnsafeMutableBytes(of: &time) { bytes in
            _ = clock_gettime(CLOCK_REALTIME, bytes.baseAddress?.assumingMemoryBound(to: timespec.self))
        }
        return Timestamp(time.seconds) * 1_000 + Timestamp(time.nanoseconds) / 1_000_000
    }
}
