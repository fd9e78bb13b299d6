import KiteQBroker
import KiteQCore
import Logging

extension ConfigurationCodec where Value == [String] {
    /// Names of at most 255 bytes; as text, separated by commas.
    static var names: Self {
        let isName: @Sendable (String) -> Bool = { !$0.isEmpty && $0.utf8.count <= 255 && !$0.contains("/") }
        return Self(
            allowed: "a list of names of 1 to 255 bytes without '/'",
            read: { value in
                guard case .list(let values) = value else { return nil }
                var names: [String] = []
                for case .string(let name) in values where isName(name) { names.append(name) }
                return names.count == values.count ? names : nil
            },
            parse: { text in
                let names =
                    text.isEmpty ? [] : text.split(separator: ",", omittingEmptySubsequences: false).map(Self.trimmed)
                return names.allSatisfy(isName) ? names : nil
            },
            write: { .list($0.map { .string($0) }) })
    }

    fileprivate static func trimmed(_ text: Substring) -> String {
        let start = text.drop { $0 == " " }
        return String(start.reversed().drop { $0 == " " }.reversed())
    }
}

extension ConfigurationCodec where Value == [AddressRange] {
    /// Addresses and networks; as text, separated by commas.
    static var addressRanges: Self {
        let parse: @Sendable ([String]) -> [AddressRange]? = { texts in
            let ranges = texts.compactMap(AddressRange.init)
            return ranges.count == texts.count ? ranges : nil
        }
        return Self(
            allowed: "a list of addresses and networks, such as [\"127.0.0.1\", \"10.0.0.0/8\", \"2001:db8::/32\"]",
            read: { value in
                guard case .list(let values) = value else { return nil }
                var texts: [String] = []
                for case .string(let text) in values { texts.append(text) }
                return texts.count == values.count ? parse(texts) : nil
            },
            parse: { text in
                parse(
                    text.isEmpty
                        ? []
                        : text.split(separator: ",", omittingEmptySubsequences: false).map(
                            ConfigurationCodec<[String]>.trimmed))
            },
            write: { .list($0.map { .string($0.description) }) })
    }
}

extension ConfigurationCodec where Value == [String] {
    /// URLs, which may hold commas; as text, separated by blanks.
    static var urls: Self {
        Self(
            allowed: "a list of mysql:// URLs, one for each shard (as a variable: separated by blanks)",
            read: { value in
                guard case .list(let values) = value else { return nil }
                var urls: [String] = []
                for case .string(let url) in values where url.hasPrefix("mysql://") { urls.append(url) }
                return urls.count == values.count ? urls : nil
            },
            parse: { text in
                let urls = text.split(separator: " ").map(String.init)
                return urls.allSatisfy { $0.hasPrefix("mysql://") } ? urls : nil
            },
            write: { .list($0.map { .string($0) }) })
    }
}

extension ConfigurationCodec where Value == [String: String] {
    /// A table of texts; as text, `name=value` separated by commas.
    static func pairs(_ what: String) -> Self {
        Self(
            allowed: "a table of \(what), such as { s-trade = \"…\" } (as a variable: s-trade=…,s-pay=…)",
            read: { value in
                guard case .table(let entries) = value else { return nil }
                var pairs: [String: String] = [:]
                for (key, value) in entries {
                    guard case .string(let text) = value, !text.isEmpty else { return nil }
                    pairs[key] = text
                }
                return pairs
            },
            parse: { text in
                var pairs: [String: String] = [:]
                for part in text.split(separator: ",") {
                    guard let equals = part.firstIndex(of: "="), equals > part.startIndex else { return nil }
                    let value = part[part.index(after: equals)...]
                    guard !value.isEmpty, pairs.updateValue(String(value), forKey: String(part[..<equals])) == nil
                    else { return nil }
                }
                return pairs
            },
            write: { .table($0.mapValues { .string($0) }) })
    }
}

extension ConfigurationCodec where Value == [RedeliverySchedule.Step] {
    /// `"10=5s"`: 5 s while fewer than 10 attempts were made; rising.
    static var steps: Self {
        let parse: @Sendable ([String]) -> [RedeliverySchedule.Step]? = { texts in
            var steps: [RedeliverySchedule.Step] = []
            for text in texts {
                let parts = text.split(separator: "=", omittingEmptySubsequences: false)
                guard parts.count == 2, let below = Int(parts[0]), (1...100).contains(below),
                    below > steps.last?.below ?? 0, let wait = DurationText.parse(String(parts[1])),
                    wait <= .seconds(86_400)
                else { return nil }
                steps.append(RedeliverySchedule.Step(below: below, wait: Int64(wait / .milliseconds(1))))
            }
            return steps
        }
        return Self(
            allowed:
                "a list of ATTEMPTS=DURATION with rising attempts from 1 to 100 and at most 1d, such as [\"10=5s\", \"20=10s\"]",
            read: { value in
                guard case .list(let values) = value else { return nil }
                var texts: [String] = []
                for case .string(let text) in values { texts.append(text) }
                return texts.count == values.count ? parse(texts) : nil
            },
            parse: { parse($0.split(separator: ",").map(String.init)) },
            write: { steps in
                .list(steps.map { .string("\($0.below)=\(DurationText.write(.milliseconds($0.wait)))") })
            })
    }
}

extension ConfigurationCodec where Value == Logger.Level {
    static var logLevel: Self {
        text(
            "one of \(Logger.Level.allCases.map(\.rawValue).joined(separator: ", "))",
            parse: { Logger.Level(rawValue: $0.lowercased()) }, write: { $0.rawValue })
    }
}

/// One of an enumeration's names.
extension ConfigurationCodec where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
    static var name: Self {
        text(
            "one of \(Value.allCases.map { $0.rawValue.isEmpty ? "\"\"" : $0.rawValue }.joined(separator: ", "))",
            parse: { Value(rawValue: $0) },
            write: { $0.rawValue })
    }
}
