/// Where names of several parts lead, from the table that they begin in: the rules on what may be said twice.
extension TOMLTable {
    /// The table of `[names]`, which has no section yet.
    func section(_ names: [TOMLName]) throws(TOMLError) -> TOMLTable {
        let (table, last) = try parent(of: names)
        guard let found = table[last.name] else { return try table.added(last, .section) }
        guard case .table(let section) = found.value, section.origin == .implied else { throw found.taken(by: last) }
        section.origin = .section
        section.offset = last.offset
        return section
    }

    /// One more table of `[[names]]`.
    func nextSection(_ names: [TOMLName]) throws(TOMLError) -> TOMLTable {
        let (table, last) = try parent(of: names)
        let sections: TOMLSections
        switch table[last.name] {
        case nil:
            sections = TOMLSections(level: table.level + 1)
            try table.add(last, .sections(sections))
        case let found?:
            guard case .sections(let others) = found.value else { throw found.taken(by: last) }
            sections = others
        }
        let next = try TOMLTable.made(.section, last.offset, sections.level + 1)
        sections.tables.append(next)
        return next
    }

    /// The table that the last of `names` stands in where it has a value: all tables on the way were made by dots alone, in this section.
    func dotted(_ names: [TOMLName]) throws(TOMLError) -> (table: TOMLTable, last: TOMLName) {
        var table = self
        for name in names.dropLast() {
            switch table[name.name] {
            case nil: table = try table.added(name, .dots)
            case let found?:
                guard case .table(let next) = found.value, next.origin == .dots else { throw found.taken(by: name) }
                table = next
            }
        }
        return (table, names[names.count - 1])
    }

    /// The table that the last of a section's names stands in.
    private func parent(of names: [TOMLName]) throws(TOMLError) -> (table: TOMLTable, last: TOMLName) {
        var table = self
        for name in names.dropLast() {
            switch table[name.name]?.value {
            case nil: table = try table.added(name, .implied)
            case .table(let next)? where next.origin != .braces: table = next
            case .sections(let sections)? where !sections.tables.isEmpty:
                table = sections.tables[sections.tables.count - 1]
            default: throw TOMLError(reason: .closed, offset: name.offset, first: table[name.name]?.offset)
            }
        }
        return (table, names[names.count - 1])
    }

    private func added(_ name: TOMLName, _ origin: Origin) throws(TOMLError) -> TOMLTable {
        let table = try TOMLTable.made(origin, name.offset, level + 1)
        try add(name, .table(table))
        return table
    }

    /// - Throws: where it would lie too deep.
    static func made(_ origin: Origin, _ offset: Int, _ level: Int) throws(TOMLError) -> TOMLTable {
        try TOMLParser.check(level, offset)
        return TOMLTable(origin, offset: offset, level: level)
    }
}
