import KiteQCore

/// How an option's value is written: in the file, and as the text of a flag or an environment variable.
struct ConfigurationCodec<Value: Sendable & Hashable>: Sendable {
    /// What is allowed, to follow "must be": `a whole number from 1 to 9`.
    let allowed: String
    /// From the file; nil where it is not allowed.
    let read: @Sendable (ConfigurationValue) -> Value?
    /// From a flag or a variable; nil where it is not allowed.
    let parse: @Sendable (String) -> Value?
    /// As it stands in the file.
    let write: @Sendable (Value) -> ConfigurationValue
}

extension ConfigurationCodec {
    /// One that is a text in the file too.
    static func text(
        _ allowed: String, parse: @escaping @Sendable (String) -> Value?, write: @escaping @Sendable (Value) -> String
    ) -> Self {
        Self(
            allowed: allowed,
            read: { if case .string(let text) = $0 { parse(text) } else { nil } },
            parse: parse,
            write: { .string(write($0)) })
    }
}

extension ConfigurationCodec where Value == Int {
    static func number(_ range: ClosedRange<Int>) -> Self {
        Self(
            allowed: "a whole number from \(range.lowerBound) to \(range.upperBound)",
            read: { if case .number(let number) = $0, range.contains(number) { number } else { nil } },
            parse: { Int($0).flatMap { range.contains($0) ? $0 : nil } },
            write: { .number($0) })
    }

    /// Bytes: a number, or a text with a unit.
    static func bytes(_ range: ClosedRange<Int>) -> Self {
        let parse: @Sendable (String) -> Int? = { text in
            ByteSize(text).map(\.bytes).flatMap { range.contains($0) ? $0 : nil }
        }
        return Self(
            allowed: "a size from \(ByteSize(range.lowerBound)) to \(ByteSize(range.upperBound)), such as \"8MiB\"",
            read: { value in
                switch value {
                case .number(let number) where range.contains(number): number
                case .string(let text): parse(text)
                default: nil
                }
            },
            parse: parse,
            write: { .string(ByteSize($0).description) })
    }
}

extension ConfigurationCodec where Value == Bool {
    static var flag: Self {
        Self(
            allowed: "true or false",
            read: { if case .flag(let flag) = $0 { flag } else { nil } },
            parse: {
                ["true": true, "yes": true, "1": true, "false": false, "no": false, "0": false][$0.lowercased()]
            },
            write: { .flag($0) })
    }
}

extension ConfigurationCodec where Value == String {
    /// Anything, "" included.
    static var any: Self { text("a text", parse: { $0 }, write: { $0 }) }

    /// A broker's name; "" is none.
    static var brokerName: Self {
        text("a name of at most 255 bytes, or \"\"", parse: { $0.utf8.count <= 255 ? $0 : nil }, write: { $0 })
    }
}

extension ConfigurationCodec where Value == Endpoint? {
    /// "" is none.
    static var endpoint: Self {
        text(
            "HOST:PORT or \"\"",
            parse: { text in text.isEmpty ? .some(nil) : Endpoint(text).map { .some($0) } },
            write: { $0?.description ?? "" })
    }
}

extension ConfigurationCodec where Value == Endpoint {
    static var endpoint: Self {
        text("HOST:PORT", parse: { Endpoint($0) }, write: { $0.description })
    }
}

extension ConfigurationCodec where Value == BrokerAddress? {
    /// "" is none; the port is not 0, since it is for others to connect to.
    static var address: Self {
        text(
            "HOST:PORT with a port from 1 to 65535, or \"\"",
            parse: { text in text.isEmpty ? .some(nil) : BrokerAddress(text).map { .some($0) } },
            write: { $0?.description ?? "" })
    }
}

extension ConfigurationCodec where Value == Duration {
    static func duration(_ range: ClosedRange<Duration>) -> Self {
        text(
            DurationText.allowed(range),
            parse: { DurationText.parse($0).flatMap { range.contains($0) ? $0 : nil } },
            write: { DurationText.write($0) })
    }
}

extension ConfigurationCodec where Value == Int64 {
    /// A duration that is kept in nanoseconds.
    static func nanoseconds(_ range: ClosedRange<Duration>) -> Self { scaled(range, unit: .nanoseconds(1)) }
    /// A duration that is kept in milliseconds.
    static func milliseconds(_ range: ClosedRange<Duration>) -> Self { scaled(range, unit: .milliseconds(1)) }

    private static func scaled(_ range: ClosedRange<Duration>, unit: Duration) -> Self {
        text(
            DurationText.allowed(range),
            parse: { text in
                DurationText.parse(text).flatMap { range.contains($0) ? Int64($0 / unit) : nil }
            },
            write: { DurationText.write(unit * $0) })
    }
}
