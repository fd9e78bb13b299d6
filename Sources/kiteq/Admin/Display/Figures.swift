import Foundation
import KiteQAdminClient

/// Numbers and times as people read them.
enum Figures {
    /// `1,234,567`
    static func count(_ number: Int) -> String {
        let digits = String(number.magnitude)
        var result = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { result += "," }
            result.append(digit)
        }
        return number < 0 ? "-" + result : result
    }

    /// `100,000+` where counting ended at a bound.
    static func count(_ count: API.Count) -> String { Self.count(count.count) + (count.isAtLeast ? "+" : "") }

    /// A second: a digit behind the point below ten, `<0.1` where it is not quite nothing.
    static func rate(_ rate: Double) -> String {
        guard rate.isFinite, rate > 0 else { return "0" }
        if rate < 0.05 { return "<0.1" }
        if rate < 9.95 { return tenths(rate) }
        return count(Int(min(rate, 1e15).rounded()))
    }

    /// `1.2 MiB`
    static func bytes(_ bytes: Int) -> String {
        var (size, units) = (Double(bytes), ["KiB", "MiB", "GiB", "TiB"][...])
        guard size >= 1_024 else { return "\(bytes) B" }
        var unit = ""
        repeat {
            size /= 1_024
            unit = units.removeFirst()
        } while size >= 1_024 && !units.isEmpty
        return "\(size < 9.95 ? tenths(size) : count(Int(size.rounded()))) \(unit)"
    }

    /// The two largest units of it: `3d4h`, `2h05m`, `3m12s`, `45s`; below ten seconds `8.1s`, below one `120ms`.
    static func duration(seconds: Double) -> String {
        guard seconds.isFinite, seconds > 0 else { return "0s" }
        if seconds < 0.001 { return "<1ms" }
        if seconds < 0.9995 { return "\(Int((seconds * 1_000).rounded()))ms" }
        if seconds < 9.95 { return "\(tenths(seconds))s" }
        let whole = Int(min(seconds, 1e12).rounded())
        let (days, hours, minutes) = (whole / 86_400, whole / 3_600 % 24, whole / 60 % 60)
        if days > 0 { return "\(days)d\(hours)h" }
        if hours > 0 { return "\(hours)h\(padded(minutes))m" }
        if minutes > 0 { return "\(minutes)m\(padded(whole % 60))s" }
        return "\(whole)s"
    }

    /// How long ago, in whole seconds; clocks differ, so what is to come is now.
    static func age(_ date: Date, now: Date) -> String {
        let seconds = now.timeIntervalSince(date).rounded()
        return seconds < 10 ? "\(Int(max(0, seconds)))s" : duration(seconds: seconds)
    }

    /// How long until then: `in 3m12s`, or `due`.
    static func wait(_ date: Date, now: Date) -> String {
        let seconds = date.timeIntervalSince(now)
        return seconds > 0 ? "in \(age(now, now: date))" : "due"
    }

    /// In UTC with milliseconds.
    static func time(_ date: Date) -> String {
        LogTime(milliseconds: Int64((date.timeIntervalSince1970 * 1_000).rounded())).description
    }

    private static func tenths(_ number: Double) -> String {
        let tenths = Int((number * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }

    private static func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}

extension LogTime {
    /// Of Unix milliseconds.
    init(milliseconds: Int64) {
        let parts = milliseconds.quotientAndRemainder(dividingBy: 1_000)
        self.init(seconds: Int(parts.quotient), nanoseconds: Int(parts.remainder) * 1_000_000)
    }
}
