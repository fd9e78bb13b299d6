extension ConfigurationCodec where Value == Int {
    /// Of a message's body.
    static var maxBody: Self { bytes(1...2 << 20) }
}

extension ConfigurationCodec where Value == [String: Int] {
    /// Sizes of bodies by topic; as text, `topic=size` separated by commas.
    static var bodiesByTopic: Self {
        let size = ConfigurationCodec<Int>.maxBody
        return Self(
            allowed: "a table of sizes by topic, such as { trade = \"30KiB\" } (as a variable: trade=30KiB,feed=1MiB)",
            read: { value in
                guard case .table(let entries) = value else { return nil }
                var sizes: [String: Int] = [:]
                for (topic, value) in entries {
                    guard let bytes = size.read(value) else { return nil }
                    sizes[topic] = bytes
                }
                return sizes
            },
            parse: { text in
                guard let pairs = ConfigurationCodec<[String: String]>.pairs("").parse(text) else { return nil }
                var sizes: [String: Int] = [:]
                for (topic, text) in pairs {
                    guard let bytes = size.parse(text) else { return nil }
                    sizes[topic] = bytes
                }
                return sizes
            },
            write: { .table($0.mapValues { size.write($0) }) })
    }
}
