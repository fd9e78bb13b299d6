import Foundation
import KiteQCore

/// A time as the API writes it: RFC 3339 in UTC with milliseconds.
struct Time: Sendable, Hashable, Codable {
    var timestamp: Timestamp

    init(_ timestamp: Timestamp) { self.timestamp = timestamp }

    /// Any RFC 3339 time of the years that the store can hold; anything else is nil.
    init?(_ text: String) {
        guard text.utf8.count <= 40 else { return nil }
        let date =
            (try? Date(text, strategy: Self.withFraction)) ?? (try? Date(text, strategy: Self.withoutFraction))
        guard let date, Self.range.contains(date.timeIntervalSince1970) else { return nil }
        timestamp = Timestamp((date.timeIntervalSince1970 * 1_000).rounded())
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
        let clamped = min(max(Double(timestamp) / 1_000, Self.range.lowerBound), Self.range.upperBound)
        // The style cuts where it should round: half a millisecond more makes the one the other.
        return Date(timeIntervalSince1970: clamped + 0.000_5).formatted(Self.withFraction)
    }

    private static let withFraction = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
    private static let withoutFraction = Date.ISO8601FormatStyle()
    /// Years 1900 to 9999: what a producer says of its time may be anything.
    private static let range = -2_208_988_800.0...253_402_300_799.999
}

extension Timestamp {
    var time: Time { Time(self) }
}
