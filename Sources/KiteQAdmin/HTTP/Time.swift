import Foundation
import KiteQCore

/// A time as the API writes it: RFC 3339 in UTC with milliseconds.
struct Time: Sendable, Hashable, Codable {
    var timestamp: Timestamp

    init(_ timestamp: Timestamp) { self.timestamp = timestamp }

    /// Any RFC 3339 time of the years that the store can hold, in whatever zone; anything else is nil. Foundation alone would take
    /// the 30th of February for a day in March.
    init?(_ text: String) {
        let form = #/([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})/#
        guard text.utf8.count <= 40, let parts = text.uppercased().wholeMatch(of: form)?.output,
            let zone = Self.seconds(ofZone: parts.3), let fraction = Double("0\(parts.2 ?? "")"),
            let date = try? Date("\(parts.1)Z", strategy: Self.withoutFraction),
            date.formatted(Self.withoutFraction) == "\(parts.1)Z", Self.range.contains(date.timeIntervalSince1970)
        else { return nil }
        timestamp = Timestamp((Self.clamped(date.timeIntervalSince1970 - zone + fraction) * 1_000).rounded())
    }

    /// East of Greenwich.
    private static func seconds(ofZone text: Substring) -> Double? {
        if text == "Z" { return 0 }
        let digits = text.dropFirst().split(separator: ":").compactMap { Double($0) }
        guard digits.count == 2, digits[0] < 24, digits[1] < 60 else { return nil }
        return (digits[0] * 3_600 + digits[1] * 60) * (text.hasPrefix("-") ? -1 : 1)
    }

    init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let time = Time(text) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "a time is written 2026-01-31T09:30:00.000Z"))
        }
        self = time
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }

    var text: String {
        // The style cuts where it should round: half a millisecond more makes the one the other.
        Date(timeIntervalSince1970: Self.clamped(Double(timestamp) / 1_000) + 0.000_5).formatted(Self.withFraction)
    }

    private static func clamped(_ seconds: Double) -> Double { min(max(seconds, range.lowerBound), range.upperBound) }

    private static let withFraction = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
    private static let withoutFraction = Date.ISO8601FormatStyle()
    /// Years 1900 to 9999: what a producer says of its time may be anything.
    private static let range = -2_208_988_800.0...253_402_300_799.999
}

extension Timestamp {
    var time: Time { Time(self) }
}
