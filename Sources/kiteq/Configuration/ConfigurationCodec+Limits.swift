import KiteQCore

/// What one group may have and do; 0 is no limit. The same in groups.file and for all groups.
extension ConfigurationCodec where Value == Int {
    static var groupConnections: Self { number(0...1_000_000) }
    static var groupRate: Self { number(0...10_000_000) }
    static var groupBytes: Self { bytes(0...512 << 20) }
    static var groupMessages: Self { number(0...50_000) }
}

/// A limit of one group, as groups.file names it.
struct GroupLimitKey: Sendable {
    let key: String
    let path: any WritableKeyPath<OwnGroupLimits, Int?> & Sendable
    let codec: ConfigurationCodec<Int>

    init(
        _ key: String, _ path: any WritableKeyPath<OwnGroupLimits, Int?> & Sendable, _ codec: ConfigurationCodec<Int>
    ) {
        (self.key, self.path, self.codec) = (key, path, codec)
    }
}
