/// Turns the tree of a regular expression into the program that ``BindingPattern`` follows.
struct BindingPatternCompiler {
    var program: [BindingPattern.Instruction] = []

    indirect enum Node {
        case empty
        case scalar(Unicode.Scalar)
        /// By its number.
        case set(Int)
        case assert(BindingPattern.Assertion)
        case sequence([Node])
        case alternatives([Node])
        /// `maximum` nil: no end.
        case repeated(Node, minimum: Int, maximum: Int?)
    }

    mutating func emit(_ node: Node) throws(BindingPattern.SyntaxError) {
        switch node {
        case .empty: break
        case .scalar(let scalar): try append(.scalar(scalar))
        case .set(let number): try append(.set(number))
        case .assert(let assertion): try append(.assert(assertion))
        case .sequence(let nodes):
            for node in nodes { try emit(node) }
        case .alternatives(let nodes): try emit(alternatives: nodes)
        case .repeated(let node, let minimum, let maximum):
            try emit(repeated: node, minimum: minimum, maximum: maximum)
        }
    }

    private mutating func emit(alternatives nodes: [Node]) throws(BindingPattern.SyntaxError) {
        var ends: [Int] = []
        for (index, node) in nodes.enumerated() {
            guard index < nodes.count - 1 else {
                try emit(node)
                break
            }
            let split = program.count
            try append(.match)  // Its place is kept until the targets are known.
            try emit(node)
            ends.append(program.count)
            try append(.match)
            program[split] = .split(split + 1, program.count)
        }
        for end in ends { program[end] = .jump(program.count) }
    }

    private mutating func emit(
        repeated node: Node, minimum: Int, maximum: Int?
    ) throws(BindingPattern.SyntaxError) {
        var last = program.count
        for _ in 0..<minimum {
            last = program.count
            try emit(node)
            // What is empty once is empty a billion times: ((){1000}){1000} would otherwise be counted out here.
            if program.count == last { break }
        }
        guard let maximum else {
            if minimum > 0 {
                // Back into the last copy: one more copy would double the program with each `+` around it.
                let split = program.count
                try append(.split(last, split + 1))
                return
            }
            let split = program.count
            try append(.match)
            try emit(node)
            try append(.jump(split))
            program[split] = .split(split + 1, program.count)
            return
        }
        var splits: [Int] = []
        for _ in minimum..<maximum {
            splits.append(program.count)
            try append(.match)
            try emit(node)
        }
        for split in splits { program[split] = .split(split + 1, program.count) }
    }

    private mutating func append(_ instruction: BindingPattern.Instruction) throws(BindingPattern.SyntaxError) {
        guard program.count < BindingPattern.maximumProgramLength else {
            throw BindingPattern.SyntaxError("it is too large; its repetitions multiply")
        }
        program.append(instruction)
    }
}
