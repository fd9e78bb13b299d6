import Glibc

/// What the process takes of the machine, under the names that Prometheus' own clients use.
enum ProcessMetrics {
    static func write(to page: inout PrometheusText) {
        if let resident = residentBytes() {
            page.single("process_resident_memory_bytes", .gauge, "Resident memory.", resident)
        }
        if let files = openFiles() {
            page.single("process_open_fds", .gauge, "Open file descriptors.", files)
        }
        if let limit = fileLimit() {
            page.single("process_max_fds", .gauge, "File descriptors that may be open.", limit)
        }
        page.single("process_cpu_seconds_total", .counter, "User and system CPU time.", cpuSeconds())
    }

    /// The second figure of /proc/self/statm, in pages. Nil where there is no /proc.
    static func residentBytes() -> Int? {
        guard let file = fopen("/proc/self/statm", "r") else { return nil }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        guard fgets(&line, Int32(line.count), file) != nil else { return nil }
        let figures = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            .split(separator: " ")
        guard figures.count > 1, let pages = Int(figures[1]) else { return nil }
        return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
    }

    /// Less the one that counting opens. Nil where there is no /proc.
    static func openFiles() -> Int? {
        guard let directory = opendir("/proc/self/fd") else { return nil }
        defer { closedir(directory) }
        var count = 0
        while let entry = readdir(directory) {
            if entry.pointee.d_name.0 != CChar(UInt8(ascii: ".")) { count += 1 }
        }
        return count - 1
    }

    static func fileLimit() -> Int? {
        var limits = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits) == 0 else { return nil }
        return Int(clamping: limits.rlim_cur)
    }

    static func cpuSeconds() -> Double {
        var usage = rusage()
        // It can fail only for a bad argument.
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }
}
