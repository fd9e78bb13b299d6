/// Bytes as people write them: a whole number, or one with KiB, MiB or GiB.
struct ByteSize: Hashable, CustomStringConvertible {
    let bytes: Int

    init(_ bytes: Int) {
        self.bytes = bytes
    }

    private static let units: [(name: String, shift: Int)] = [("GiB", 30), ("MiB", 20), ("KiB", 10), ("B", 0), ("", 0)]

    /// Nil where there is no number, another unit, or more than fits.
    init?(_ text: String) {
        let digits = text.prefix { ("0"..."9").contains($0) }
        guard let count = Int(digits), let unit = Self.units.first(where: { $0.name == text[digits.endIndex...] })
        else {
            return nil
        }
        let (bytes, overflow) = count.multipliedReportingOverflow(by: 1 << unit.shift)
        guard !overflow else { return nil }
        self.init(bytes)
    }

    /// In the largest unit that needs no fraction.
    var description: String {
        for unit in Self.units where bytes >= 1 << unit.shift && bytes % (1 << unit.shift) == 0 && unit.shift > 0 {
            return "\(bytes >> unit.shift)\(unit.name)"
        }
        return "\(bytes)"
    }
}
