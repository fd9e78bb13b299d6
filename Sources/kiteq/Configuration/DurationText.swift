/// Durations as people write them: a whole number and a unit, `250ms`, `5s`, `10m`, `12h`, `30d`.
enum DurationText {
    private static let units: [(name: String, length: Duration)] = [
        ("d", .seconds(86_400)), ("h", .seconds(3_600)), ("m", .seconds(60)), ("s", .seconds(1)),
        ("ms", .milliseconds(1)),
    ]

    /// Nil where there is no number, no unit, or more than 100 years.
    static func parse(_ text: String) -> Duration? {
        let digits = text.prefix { ("0"..."9").contains($0) }
        guard let count = Int64(digits), let unit = units.first(where: { $0.name == text[digits.endIndex...] }),
            count <= Int64(.seconds(100 * 366 * 86_400) / unit.length)
        else { return nil }
        return unit.length * count
    }

    /// In the largest unit that needs no fraction.
    static func write(_ duration: Duration) -> String {
        for unit in units where duration >= unit.length {
            let count = Int64(duration / unit.length)
            if unit.length * count == duration { return "\(count)\(unit.name)" }
        }
        return duration == .zero ? "0s" : "\(Int64(duration / .milliseconds(1)))ms"
    }

    static func allowed(_ range: ClosedRange<Duration>) -> String {
        "a duration from \(write(range.lowerBound)) to \(write(range.upperBound)), such as \"5s\" or \"250ms\""
    }
}
