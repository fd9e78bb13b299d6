import KiteQCore

/// A document as a configuration, which is stricter: no name is empty, very long, or there in two spellings of Unicode, and no text has a NUL.
extension TOMLTable {
    /// More than any name that options have. To compare two texts takes Swift the square of the accents that follow one letter.
    private static let mostNameBytes = 1_024

    func configuration() throws(TOMLError) -> [String: ConfigurationValue] {
        var values: [String: ConfigurationValue] = [:]
        for entry in entries {
            let name = entry.name.text
            guard !name.isEmpty else { throw TOMLError(reason: .emptyName, offset: entry.offset) }
            guard name.utf8.count <= Self.mostNameBytes else {
                throw TOMLError(reason: .longName, offset: entry.offset)
            }
            guard !name.utf8.contains(0) else { throw TOMLError(reason: .nul, offset: entry.offset) }
            // To a document they are two, and to a dictionary one: half of what is said would be lost.
            guard values[name] == nil else { throw TOMLError(reason: .twoSpellings, offset: entry.offset) }
            values[name] = try entry.value.configuration(at: entry.offset)
        }
        return values
    }
}

extension TOMLValue {
    /// - Parameter offset: where it stands, or the name that it has.
    fileprivate func configuration(at offset: Int) throws(TOMLError) -> ConfigurationValue {
        switch self {
        case .text(let text):
            guard !text.utf8.contains(0) else { throw TOMLError(reason: .nul, offset: offset) }
            return .string(text)
        case .integer(let number): return .number(number)
        case .float(let number): return .decimal(number)
        case .flag(let flag): return .flag(flag)
        case .date(let text): return .other(text)
        case .table(let table): return .table(try table.configuration())
        case .list(let items):
            var values: [ConfigurationValue] = []
            for item in items { values.append(try item.value.configuration(at: item.offset)) }
            return .list(values)
        case .sections(let sections):
            var values: [ConfigurationValue] = []
            for table in sections.tables { values.append(.table(try table.configuration())) }
            return .list(values)
        }
    }
}
