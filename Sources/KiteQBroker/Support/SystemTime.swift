package import KiteQCore
#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// The two clocks of the process. A broker gets its time by a `ProcessClock` that it is given.
package enum SystemTime {
    /// Nanoseconds that never go back, and go on while the machine is suspended: a lease must not outlive its end.
    package static func monotonic() -> MonotonicTime {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return MonotonicTime(time.tv_sec) * 1_000_000_000 + MonotonicTime(time.tv_nsec)
    }

    /// Unix milliseconds by this machine's clock, which may be wrong: for people, and before any server was asked.
    package static func wall() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(time.tv_sec) * 1_000 + Timestamp(time.tv_nsec) / 1_000_000
    }
}

/// ``SystemTime``, and the system's waiting.
package struct SystemClock: ProcessClock {
    private static let start = SystemTime.monotonic()

    package init() {}

    package var firstRound: MonotonicTime { Self.start }

    package func monotonic() -> MonotonicTime { SystemTime.monotonic() }
    package func wall() -> Timestamp { SystemTime.wall() }

    package func sleep(until time: MonotonicTime) async throws {
        try await Task.sleep(for: .nanoseconds(max(0, time - monotonic())))
    }
}
