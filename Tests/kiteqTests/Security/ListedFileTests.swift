import Testing

@testable import kiteq

/// What a reload makes of a file that lists fewer than before.
@Suite struct ListedFileTests {
    /// Groups, each with a line of its own; those with a ! have nothing that they are known by.
    private func file(_ groups: String..., end: String = "\n") -> ListedFile {
        let names = groups.map { $0.filter { $0 != "!" } }
        return ListedFile(
            kind: "group",
            content: FileContent(path: "/groups.toml", bytes: Array((groups.joined(separator: "\n") + end).utf8)),
            names: Set(names), shown: Set(groups.filter { !$0.contains("!") }))
    }

    @Test func whatIsMeantIsTaken() {
        let old = file("a", "b", "c", "d")
        #expect(file("a", "b", "c", "d").objection(after: old) == nil)
        #expect(file("a", "b", "c", "d", "e").objection(after: old) == nil)
        #expect(file("b", "c", "d").objection(after: old) == nil)
        #expect(file("c", "d").objection(after: old) == nil)
        #expect(file("b", "x").objection(after: file("b", "a")) == nil)
        #expect(
            file("a").objection(
                after: ListedFile(kind: "group", content: .init(path: "", bytes: []), names: [], shown: [])) == nil)
        // As it was when the broker started, whatever is said of its end.
        #expect(file("a", end: "").objection(after: file("a", end: "")) == nil)
    }

    @Test func noneIsRefusedWhereThereWereSome() {
        let empty = ListedFile(kind: "group", content: .init(path: "/groups.toml", bytes: []), names: [], shown: [])
        #expect(
            empty.objection(after: file("a", "b"))
                == "/groups.toml names no group, and there were 2: nobody would be let in any more")
        let comment = ListedFile(
            kind: "group", content: .init(path: "/groups.toml", bytes: Array("# none\n".utf8)), names: [], shown: [])
        #expect(comment.objection(after: file("a")) != nil)
        #expect(empty.objection(after: empty) == nil)
    }

    @Test func whatIsCutAtALineIsTheBeginningOfWhatWasThere() {
        let cut = file("a", "b", "c").objection(after: file("a", "b", "c", "d"))
        #expect(cut?.hasPrefix("/groups.toml holds the first 6 of the 8 bytes that it had and looks cut") == true)
        // The last one is meant to go: something else has changed, too.
        #expect(file("a", "b", "c", "# d has gone!").objection(after: file("a", "b", "c", "d")) == nil)
    }

    @Test func whatIsCutWithinALineHasNoEnd() {
        let cut = file("x", "a", "b", end: "").objection(after: file("a", "b"))
        #expect(cut == "/groups.toml does not end with a line break and looks cut; where it is whole, add one")
    }

    /// A newer file that was cut before anybody read it, where nothing else shows it.
    @Test func aFileThatHadAnEndIsNotTakenWithoutIt() {
        let old = file("a", "b", "c", "d", "# end")
        let cut = file("x", "b", "c", "d").objection(after: old)
        #expect(
            cut
                == "/groups.toml does not end with the line '# end' as it did and looks cut; where it is whole, add that line"
        )
        #expect(file("x", "b", "# end", "c", "d").objection(after: old) != nil)
        #expect(file("x", "b", "c", "# end", end: " \r\n\n").objection(after: old) == nil)
        #expect(file("x", "b", "c", "# end").objection(after: file("a", "b", "c", "d")) == nil, "who begins with it")
        #expect(
            file("x", "b", "c").objection(after: file("a", "b", "c", "# end of them")) == nil,
            "not every comment is one")
    }

    @Test func whatAGroupIsKnownByIsNotLost() {
        let objection = file("a", "b!").objection(after: file("a", "b"))
        #expect(
            objection
                == "/groups.toml: group b has lost what it is known by; where it is to go, take its whole table out")
    }

    @Test func atMostHalfGoAtATime() {
        let objection = file("d", "x").objection(after: file("a", "b", "c", "d"))
        #expect(objection?.hasPrefix("/groups.toml lacks 3 of the 4 groups that there were (a, b, c, …)") == true)
    }

    @Test func whoStartsWithOneIsTold() {
        #expect(file("a").warnings.isEmpty)
        #expect(file("a", end: "").warnings.first?.contains("does not end with a line break") == true)
        let empty = ListedFile(kind: "token", content: .init(path: "/t", bytes: []), names: [], shown: [])
        #expect(empty.warnings == ["/t names no token, so nobody who needs one is let in"])
    }
}
