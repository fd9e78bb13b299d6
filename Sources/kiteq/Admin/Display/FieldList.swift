import KiteQCore

/// One thing for people: a line for each of its fields.
struct FieldList {
    private var fields: [(name: String, value: String)] = []

    mutating func add(_ name: String, _ value: String) { fields.append((name, VisibleText.escaped(value))) }

    var lines: [String] {
        let width = fields.reduce(0) { max($0, DisplayText.width($1.name)) } + 2
        return fields.map { DisplayText.padded($0.name, to: width) + $0.value }
    }
}
