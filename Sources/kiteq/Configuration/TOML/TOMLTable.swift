import KiteQCore

/// A value of a document.
enum TOMLValue {
    case text(String)
    case integer(Int)
    case float(Double)
    case flag(Bool)
    /// A date, a time, or both, as it is written.
    case date(String)
    case list([TOMLItem])
    case table(TOMLTable)
    /// What `[[name]]` has made.
    case sections(TOMLSections)
}

/// One value of a list.
struct TOMLItem {
    let offset: Int
    let value: TOMLValue
}

/// The tables of `[[name]]`: another may follow until the document ends.
final class TOMLSections {
    let level: Int
    var tables: [TOMLTable] = []

    init(level: Int) { self.level = level }
}

/// A name of a document, or a part of one with dots.
struct TOMLName {
    let name: BindingName
    let offset: Int
}

/// A table of a document, while it is read and after.
///
/// Names are told apart by their bytes, as TOML has it. A name takes the same time to find however many there are.
final class TOMLTable {
    /// What has made it, which decides what may be added.
    enum Origin {
        /// It is on the way to another section, and may have one of its own.
        case implied
        case section
        /// A name with dots.
        case dots
        case braces
    }

    struct Entry {
        let name: BindingName
        /// Where its name stands.
        let offset: Int
        let value: TOMLValue
    }

    var origin: Origin
    /// Where it was made, or given a section of its own.
    var offset: Int
    /// 1 of the document itself.
    let level: Int
    /// In the order of the document.
    private(set) var entries: [Entry] = []
    private var places: [BindingName: Int] = [:]

    init(_ origin: Origin, offset: Int = 0, level: Int) {
        self.origin = origin
        self.offset = offset
        self.level = level
    }

    subscript(name: BindingName) -> Entry? { places[name].map { entries[$0] } }

    func add(_ name: TOMLName, _ value: TOMLValue) throws(TOMLError) {
        if let found = self[name.name] { throw found.taken(by: name) }
        places[name.name] = entries.count
        entries.append(Entry(name: name.name, offset: name.offset, value: value))
    }
}

extension TOMLTable.Entry {
    /// It cannot be, or be added to, once more.
    func taken(by name: TOMLName) -> TOMLError {
        var first = offset
        if case .table(let table) = value { first = table.offset }
        return TOMLError(reason: .taken, offset: name.offset, first: first)
    }
}
