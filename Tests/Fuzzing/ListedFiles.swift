@testable import kiteq

/// The files that say who may come in: what is common to both.
enum ListedFiles {
    /// What holds of any of them.
    ///
    /// - Parameters:
    ///   - parse: what a file lists, and how it would be written anew.
    static func check<Content: Equatable>(
        _ input: [UInt8], _ kind: String,
        parse: ([UInt8]) throws -> (content: Content, names: [String], written: String)
    ) {
        let content: Content
        let (names, written): ([String], String)
        do {
            (content, names, written) = try parse(input)
        } catch {
            return Sentences.check("\(error)")
        }
        precondition(names.allSatisfy { (1...255).contains($0.utf8.count) }, "a name has 1 to 255 bytes")
        precondition(names.reduce(0) { $0 + $1.utf8.count } <= input.count, "names are no longer than the file")
        do {
            let again = try parse(Array(written.utf8)).content
            precondition(again == content, "what was taken is the same when it is written anew")
        } catch {
            preconditionFailure("what was taken is not taken when it is written anew: \(error)")
        }
        checkCuts(input, kind, names, parse: parse)
    }

    /// A reload takes no beginning of what was there, wherever it ends.
    private static func checkCuts<Content>(
        _ input: [UInt8], _ kind: String, _ names: [String],
        parse: ([UInt8]) throws -> (content: Content, names: [String], written: String)
    ) {
        let whole = listed(input, kind, names)
        precondition(whole.objection(after: whole) == nil, "a file that has not changed is taken")
        for end in [input.count / 3, input.count / 2, input.count - 1] where end >= 0 && end < input.count {
            let start = Array(input.prefix(end))
            // Where it cannot be read it is refused, which is what is asked for.
            guard let names = try? parse(start).names else { continue }
            guard let objection = listed(start, kind, names).objection(after: whole) else {
                preconditionFailure("a file that was cut is not taken")
            }
            Sentences.check(objection)
        }
    }

    private static func listed(_ bytes: [UInt8], _ kind: String, _ names: [String]) -> ListedFile {
        ListedFile(
            kind: kind, content: FileContent(path: "listed.toml", bytes: bytes), names: Set(names), shown: Set(names))
    }
}
