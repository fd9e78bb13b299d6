/// A regular expression of a binding, searched for anywhere in a message type.
///
/// Bindings come from clients, and one hostile or careless expression must not stop a broker: this matcher takes time
/// proportional to pattern times subject, whatever they are, where a backtracking one (Swift's `Regex`, Java's) can take
/// longer than the universe has. The syntax is therefore that of Go's `regexp`, which the original broker uses and which
/// is what Java's and Go's have in common, with these notes:
///
/// - supported: literals, `.`, `[…]` with ranges, negation and `[:alpha:]` names, `|`, groups (capturing, `(?:…)`,
///   named), `* + ? {n} {n,} {n,m}` and their lazy forms, `^ $ \A \z \b \B`, `\d \w \s` and their negations (ASCII),
///   `\p{L}` and `\P{L}` for general categories, `\t \n \r \f \v \a`, `\x7F`, `\x{1F600}`, `\u00E9`, octal, `\Q…\E`, and
///   the flags `i m s U`;
/// - not supported, and so reported as not compiling: back-references, look-around, possessive quantifiers, script
///   names in `\p{…}`, Java's class intersection (`&&` stands for itself, as in Go).
///
/// Works on code points, without normalisation. `$` is the end of the text only, as in Go.
struct BindingPattern: Sendable {
    /// The most instructions an expression may compile to: bounds `(a{1000}){1000}`, and with it the time of a match.
    static let maximumProgramLength = 2000

    private let program: [Instruction]
    /// Each once.
    private let sets: [BindingScalarSet]
    private let asksForCases: Bool
    private let asksForWords: Bool

    /// What it takes to try it at one code point of a message type, at most, in steps of some nanoseconds.
    let work: Int

    /// Why an expression does not compile, as a clause.
    struct SyntaxError: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }

    enum Instruction: Sendable {
        case scalar(Unicode.Scalar)
        case set(Int)
        /// Goes on at both.
        case split(Int, Int)
        case jump(Int)
        case assert(Assertion)
        case match
    }

    enum Assertion: Sendable { case textStart, textEnd, lineStart, lineEnd, wordBoundary, notWordBoundary }

    init(_ text: String) throws(SyntaxError) {
        var parser = BindingPatternParser(text)
        var compiler = BindingPatternCompiler()
        try compiler.emit(try parser.parse())
        compiler.program.append(.match)
        self.program = compiler.program
        self.sets = parser.sets
        asksForCases = sets.contains(where: \.asksForCases)
        asksForWords = program.contains {
            switch $0 {
            case .assert(.wordBoundary), .assert(.notWordBoundary): true
            default: false
            }
        }
        work = program.count + sets.reduce(0) { $0 + $1.work }
    }

    /// A message type made ready to be tried against any number of patterns, with the room that takes.
    struct Subject {
        fileprivate let scalars: [Unicode.Scalar]
        /// Of each, likewise.
        fileprivate var isWord: [Bool] = []
        /// Of each code point, once a pattern asks for them.
        fileprivate var otherCases: [[Unicode.Scalar]] = []
        fileprivate var current: [Int] = []
        fileprivate var next: [Int] = []
        fileprivate var stack: [Int] = []
        /// The step at which an instruction was last reached.
        fileprivate var reached: [Int] = []
        /// Whether the code point at hand is in a set, as far as that was asked.
        fileprivate var isIn: [Bool?] = []

        init(_ text: String) { scalars = Array(text.unicodeScalars) }
    }

    func matches(_ text: String) -> Bool {
        var subject = Subject(text)
        return matches(&subject)
    }

    /// Follows all ways through the program at once, one code point at a time.
    func matches(_ subject: inout Subject) -> Bool {
        subject.current.removeAll(keepingCapacity: true)
        subject.reached.removeAll(keepingCapacity: true)
        subject.reached.append(contentsOf: repeatElement(-1, count: program.count))
        if asksForCases && subject.otherCases.isEmpty {
            subject.otherCases = subject.scalars.map(BindingScalarSet.otherCases)
        }
        if asksForWords && subject.isWord.isEmpty {
            subject.isWord = subject.scalars.map(BindingScalarSet.word.contains)
        }
        for position in 0...subject.scalars.count {
            // The search may begin at every position: that is what unanchored means.
            if follow(0, at: position, &subject) { return true }
            guard position < subject.scalars.count else { return false }
            let scalar = subject.scalars[position]
            subject.isIn.removeAll(keepingCapacity: true)
            subject.isIn.append(contentsOf: repeatElement(nil, count: sets.count))
            swap(&subject.current, &subject.next)
            subject.current.removeAll(keepingCapacity: true)
            for index in subject.next.indices {
                let state = subject.next[index]
                let taken =
                    switch program[state] {
                    case .scalar(let wanted): wanted == scalar
                    case .set(let set): isIn(set, at: position, &subject)
                    default: false
                    }
                if taken, follow(state + 1, at: position + 1, &subject) { return true }
            }
        }
        return false
    }

    /// Many instructions may name one set: a code point is looked for once.
    private func isIn(_ set: Int, at position: Int, _ subject: inout Subject) -> Bool {
        if let known = subject.isIn[set] { return known }
        let others = asksForCases ? subject.otherCases[position] : []
        let isIn = sets[set].contains(subject.scalars[position], otherCases: others)
        subject.isIn[set] = isIn
        return isIn
    }

    /// Adds a state and all that is reached from it without taking a code point; true where that is the end.
    private func follow(_ state: Int, at position: Int, _ subject: inout Subject) -> Bool {
        subject.stack.append(state)
        while let state = subject.stack.popLast() {
            guard subject.reached[state] < position else { continue }
            subject.reached[state] = position
            switch program[state] {
            case .match:
                subject.stack.removeAll(keepingCapacity: true)
                return true
            case .jump(let target): subject.stack.append(target)
            case .split(let first, let second):
                subject.stack.append(second)
                subject.stack.append(first)
            case .assert(let assertion):
                if Self.holds(assertion, at: position, in: subject) { subject.stack.append(state + 1) }
            case .scalar, .set: subject.current.append(state)
            }
        }
        return false
    }

    private static func holds(_ assertion: Assertion, at position: Int, in subject: Subject) -> Bool {
        let (scalars, words) = (subject.scalars, subject.isWord)
        func isWord(_ index: Int) -> Bool { words.indices.contains(index) && words[index] }
        return switch assertion {
        case .textStart: position == 0
        case .textEnd: position == scalars.count
        case .lineStart: position == 0 || scalars[position - 1] == "\n"
        case .lineEnd: position == scalars.count || scalars[position] == "\n"
        case .wordBoundary: isWord(position - 1) != isWord(position)
        case .notWordBoundary: isWord(position - 1) == isWord(position)
        }
    }
}
