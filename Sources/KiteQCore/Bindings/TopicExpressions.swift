/// The regular expressions of one topic: which are in force, and why the others are not.
struct TopicExpressions {
    struct Expression: Sendable {
        /// None had it before: see ``PatternMatches``.
        let number: Int
        let program: BindingPattern
        let work: Int
    }

    /// What is known of an expression's text.
    enum Known: Sendable {
        case inForce(Expression)
        /// No group may have it: so much work it is.
        case leftOut(work: Int)
        /// It does not compile, for this reason.
        case problem(String)
    }

    /// One group's wish to have an expression in force.
    private struct Wish: Hashable {
        var group: BindingName
        var text: BindingName
    }

    /// By text, for the table that comes next: neither what is in force nor what cannot be is compiled again.
    private(set) var known: [BindingName: Known] = [:]
    /// Why the bindings at these places are not in force.
    private(set) var reasons: [Int: String] = [:]
    /// Some of them would be, if they were less work or fewer.
    private(set) var isCut = false

    /// - Parameters:
    ///   - places: of the topic's expressions among the bindings.
    ///   - before: what the table before this one knew of the topic's.
    ///   - isBounded: whether ``PatternBudget`` holds.
    init(_ bindings: [Binding], _ places: [Int], _ before: [BindingName: Known], isBounded: Bool) {
        let wishes = places.map { place in
            (place, Wish(group: BindingName(bindings[place].group), text: BindingName(bindings[place].messageType)))
        }
        var open = Set(wishes.map(\.1))
        var why: [Wish: String] = [:]
        if isBounded { why = Self.surplus(open) }
        open.subtract(why.keys)
        var programs: [BindingName: BindingPattern] = [:]
        for text in Set(open.map(\.text)) { known[text] = before[text] ?? Self.compiled(text, &programs) }
        for wish in open {
            guard case .problem(let problem)? = known[wish.text] else { continue }
            open.remove(wish)
            why[wish] = "the regular expression of the binding does not compile: \(problem)"
        }
        if isBounded {
            let leftOut = leftOut(open)
            isCut = !leftOut.isEmpty || why.values.contains(Self.tooMany)
            open.subtract(leftOut.keys)
            why.merge(leftOut) { first, _ in first }
        }
        for (place, wish) in wishes { reasons[place] = why[wish] }
        let inForce = Set(open.map(\.text))
        for text in known.keys { settle(text, isInForce: inForce.contains(text), programs[text]) }
    }

    private static let tooMany =
        "the group has more than \(PatternBudget.mostOfGroup) regular expressions in this topic"

    private static func surplus(_ wishes: Set<Wish>) -> [Wish: String] {
        var why: [Wish: String] = [:]
        for (group, own) in Dictionary(grouping: wishes, by: \.group) {
            for text in PatternBudget.surplus(own.lazy.map(\.text)) { why[Wish(group: group, text: text)] = tooMany }
        }
        return why
    }

    private func leftOut(_ wishes: Set<Wish>) -> [Wish: String] {
        let wishes = Array(wishes)
        let entries = wishes.map { PatternBudget.Entry(group: $0.group, text: $0.text, work: work(of: $0.text)) }
        return Dictionary(uniqueKeysWithValues: PatternBudget.leftOut(entries).map { (wishes[$0.key], $0.value) })
    }

    private func work(of text: BindingName) -> Int {
        switch known[text] {
        case .inForce(let expression): expression.work
        case .leftOut(let work): work
        case .problem, nil: 0
        }
    }

    // MARK: Compiling

    private static func compiled(_ text: BindingName, _ programs: inout [BindingName: BindingPattern]) -> Known {
        do {
            let program = try BindingPattern(text.text)
            programs[text] = program
            return .leftOut(work: program.work)
        } catch {
            return .problem("\(error)")
        }
    }

    /// What comes into force has a number that none had: under an old one it would seem to have been tried.
    private mutating func settle(_ text: BindingName, isInForce: Bool, _ program: BindingPattern?) {
        switch known[text] {
        case .inForce(let expression) where !isInForce: known[text] = .leftOut(work: expression.work)
        case .leftOut(let work) where isInForce:
            known[text] = .inForce(
                Expression(
                    number: PatternMatches.nextNumber(), program: program ?? Self.compiledBefore(text), work: work))
        case .inForce, .leftOut, .problem, nil: break
        }
    }

    private static func compiledBefore(_ text: BindingName) -> BindingPattern {
        do {
            return try BindingPattern(text.text)
        } catch {
            preconditionFailure("an expression that compiled once does so again")
        }
    }
}
