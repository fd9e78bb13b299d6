import Testing

@testable import KiteQCore

@Suite struct BindingTableTests {
    typealias Match = BindingTable.Match

    private func groups(_ table: BindingTable, _ topic: String, _ messageType: String) -> [String] {
        table.groups(topic: topic, messageType: messageType).map(\.group)
    }

    @Test func emptyMatchesNothing() {
        #expect(BindingTable.empty.groups(topic: "trade", messageType: "pay").isEmpty)
        #expect(BindingTable([]).rejected.isEmpty)
    }

    @Test func directIsEqualAndNothingElse() {
        let table = BindingTable([Binding(group: "g", topic: "trade", messageType: "pay-succ")])
        #expect(groups(table, "trade", "pay-succ") == ["g"])
        for (topic, type) in [
            ("trade", "pay"), ("trade", "pay-succ2"), ("trade", "PAY-SUCC"), ("Trade", "pay-succ"), ("trade", ""),
            ("", "pay-succ"), ("feed", "pay-succ"), ("trade", "pay.succ"), ("trade", "*"),
        ] {
            #expect(groups(table, topic, type).isEmpty, "\(topic)/\(type)")
        }
    }

    @Test func aDirectStarIsAStarOnly() {
        let table = BindingTable([Binding(group: "g", topic: "trade", messageType: "*")])
        #expect(groups(table, "trade", "*") == ["g"])
        #expect(groups(table, "trade", "pay").isEmpty)
    }

    @Test func regxIsSearchedInItsTopic() {
        let table = BindingTable([Binding(group: "g", topic: "trade", messageType: "pay-(succ|fail)", kind: .regx)])
        #expect(groups(table, "trade", "a-pay-fail-b") == ["g"])
        #expect(groups(table, "trade", "pay-none").isEmpty)
        #expect(groups(table, "trade2", "pay-succ").isEmpty)
        #expect(groups(table, "trade", "PAY-SUCC").isEmpty)
    }

    @Test(arguments: ["*", "", "whatever"])
    func fanoutIsTheWholeTopic(_ messageType: String) {
        let table = BindingTable([Binding(group: "g", topic: "trade", messageType: messageType, kind: .fanout)])
        #expect(groups(table, "trade", "pay") == ["g"])
        #expect(groups(table, "trade", "") == ["g"])
        #expect(groups(table, "feed", "pay").isEmpty)
    }

    @Test func aGroupAppearsOnceWithTheBestOfItsBindings() {
        let table = BindingTable([
            Binding(group: "g", topic: "t", messageType: "a", watermark: 100, persistent: false),
            Binding(group: "g", topic: "t", messageType: "^a", kind: .regx, watermark: 900, persistent: false),
            Binding(group: "g", topic: "t", messageType: "*", kind: .fanout, watermark: -5, persistent: true),
            Binding(group: "g", topic: "t", messageType: "a", watermark: 100, persistent: false),
        ])
        #expect(
            table.groups(topic: "t", messageType: "a") == [Match(group: "g", persistent: true, watermark: 900)])
        #expect(
            table.groups(topic: "t", messageType: "ab") == [Match(group: "g", persistent: true, watermark: 900)])
        #expect(table.groups(topic: "t", messageType: "b") == [Match(group: "g", persistent: true, watermark: 0)])
        #expect(table.bindings.count == 4)
    }

    @Test func noMatchingPersistentBindingLeavesTheGroupNonPersistent() {
        let table = BindingTable([
            Binding(group: "g", topic: "t", messageType: "a", persistent: false),
            Binding(group: "g", topic: "t", messageType: "b", persistent: true),
        ])
        #expect(table.groups(topic: "t", messageType: "a") == [Match(group: "g", persistent: false, watermark: 0)])
    }

    @Test(arguments: [0, -1, Int.min])
    func zeroAndBelowIsTheDefault(_ watermark: Int) {
        let table = BindingTable([.fanout(group: "g", topic: "t", watermark: watermark)])
        #expect(table.groups(topic: "t", messageType: "a").first?.watermark == 0)
    }

    @Test func watermarksAreNotCut() {
        let table = BindingTable([.fanout(group: "g", topic: "t", watermark: 1_000_000)])
        #expect(table.groups(topic: "t", messageType: "a").first?.watermark == 1_000_000)
    }

    @Test func groupsAreSortedByTheirBytes() {
        let names = ["b", "a", "é", "Z", "aa", "😀", "e\u{301}"]
        let table = BindingTable(names.map { .fanout(group: $0, topic: "t") })
        let expected = names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        #expect(groups(table, "t", "x").map { Array($0.utf8) } == expected.map { Array($0.utf8) })
        let reversed = BindingTable(names.reversed().map { .fanout(group: $0, topic: "t") })
        #expect(reversed.groups(topic: "t", messageType: "x") == table.groups(topic: "t", messageType: "x"))
    }

    /// Go, Java and the database compare bytes; Swift's own equality would take these for the same.
    @Test func canonicallyEquivalentNamesAreDifferent() {
        let composed = "caf\u{E9}"
        let decomposed = "cafe\u{301}"
        #expect(composed == decomposed)
        let table = BindingTable([
            Binding(group: composed, topic: "t", messageType: composed),
            Binding(group: decomposed, topic: "t", messageType: composed),
            .fanout(group: "g", topic: composed),
        ])
        #expect(table.groups(topic: "t", messageType: composed).count == 2)
        #expect(groups(table, "t", decomposed).isEmpty)
        #expect(groups(table, composed, "x") == ["g"])
        #expect(groups(table, decomposed, "x").isEmpty)
        #expect(.fanout(group: composed, topic: "t") != Binding.fanout(group: decomposed, topic: "t"))
    }

    @Test func namesBeyondAscii() {
        let table = BindingTable([
            Binding(group: "组", topic: "交易", messageType: "支付-成功"),
            Binding(group: "s-😀", topic: "交易", messageType: "^支付-.+$", kind: .regx),
        ])
        #expect(groups(table, "交易", "支付-成功") == ["s-😀", "组"].sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
        #expect(groups(table, "交易", "支付-失败") == ["s-😀"])
    }

    @Test func whatDoesNotCompileIsReportedAndMatchesNothing() {
        let bad = Binding(group: "bad", topic: "t", messageType: "pay-(", kind: .regx)
        let table = BindingTable([bad, Binding(group: "good", topic: "t", messageType: "pay-", kind: .regx)])
        #expect(table.rejected.map(\.binding) == [bad])
        #expect(table.rejected.first?.reason.contains("'('") == true)
        #expect(groups(table, "t", "pay-(") == ["good"])
        #expect(table.bindings.map(\.group) == ["good"])
    }

    @Test func theSameTextIsFineAsADirectType() {
        let table = BindingTable([Binding(group: "g", topic: "t", messageType: "pay-(")])
        #expect(table.rejected.isEmpty)
        #expect(groups(table, "t", "pay-(") == ["g"])
    }

    @Test func namesAreLimitedInBytes() {
        let fits = String(repeating: "é", count: 127) + "a"
        let tooLong = String(repeating: "é", count: 128)
        #expect(fits.utf8.count == 255)
        let good = BindingTable([Binding(group: fits, topic: fits, messageType: fits)])
        #expect(good.rejected.isEmpty)
        #expect(good.groups(topic: fits, messageType: fits).count == 1)
        let bad = BindingTable([
            Binding(group: tooLong, topic: "t", messageType: "a"),
            Binding(group: "g", topic: tooLong, messageType: "a"),
            Binding(group: "g", topic: "t", messageType: tooLong), Binding(group: "", topic: "t", messageType: "a"),
            Binding(group: "g", topic: "", messageType: "a"),
        ])
        #expect(bad.rejected.count == 5)
        #expect(bad.rejected.first?.reason == "the binding has a group of 256 bytes; at most 255 are allowed")
        #expect(bad.groups(topic: "t", messageType: "a").isEmpty)
    }

    @Test func kindsHaveTheirNamesAndNumbers() {
        #expect(BindKind.allCases.map(\.rawValue) == [0, 1, 2])
        #expect(BindKind.allCases.map(\.name) == ["direct", "regx", "fanout"])
        #expect(BindKind(name: "regx") == .regx)
        #expect(BindKind(name: "Regx") == nil)
        #expect(BindKind(rawValue: 3) == nil)
    }

    // MARK: Expressions that are work

    private func regx(_ group: String, _ text: String, topic: String = "trade") -> Binding {
        Binding(group: group, topic: topic, messageType: text, kind: .regx)
    }

    /// As somebody declares them who means it ill: 100 in 6 KB.
    private static func dear(_ group: String, _ count: Int, topic: String = "trade") -> [Binding] {
        (0..<count).map {
            Binding(group: group, topic: topic, messageType: "(.?){990}Z\($0)", kind: .regx)
        }
    }

    @Test func theWorkOfAGroupIsBounded() {
        let table = BindingTable(Self.dear("greedy", 700) + [regx("modest", "^pay")])
        #expect(table.bindings.count == 6 && table.rejected.count == 695)
        #expect(groups(table, "trade", "pay") == ["modest"])
        #expect(table.rejections.map(\.count) == [500, 195], "\(table.rejections)")
        #expect(table.rejections.allSatisfy { $0.group == "greedy" && $0.topic == "trade" })
        #expect(table.work(topic: "trade", messageType: String(repeating: "x", count: 255), known: nil) <= 2_600_000)
        #expect(table.newlyRejected(since: table).isEmpty)
        #expect(table.newlyRejected(since: .empty) == table.rejections)
    }

    @Test func theWorkOfATopicIsBounded() {
        let table = BindingTable(
            (0..<40).flatMap { group in
                (0..<5).map { regx("greedy-\(group)", "(.?){990}Z\(group)-\($0)") }
            } + (0..<20).map { regx("modest-\($0)", "^pay-\($0)$") } + [regx("elsewhere", "(.?){990}Z", topic: "feed")])
        let left = Set(table.bindings.map(\.group))
        #expect((0..<20).allSatisfy { left.contains("modest-\($0)") } && left.contains("elsewhere"))
        #expect(table.work(topic: "trade", messageType: "", known: nil) <= PatternBudget.workOfTopic)
    }

    /// Whoever changes his bindings again and again makes nobody else's be tried again.
    @Test func whatWasFoundHoldsForTheNextTable() {
        let first = BindingTable([regx("a", "^pay"), regx("b", "fail$"), regx("c", "^pay", topic: "feed")])
        let found = first.matches(topic: "trade", messageType: "pay-ok", known: nil)
        #expect(first.work(topic: "trade", messageType: "pay-ok", known: found) == 0)
        #expect(first.work(topic: "feed", messageType: "pay-ok", known: nil) > 0)
        let second = BindingTable([regx("z", "ok$"), regx("a", "^pay"), regx("d", "^pay")], after: first)
        let rest = second.work(topic: "trade", messageType: "pay-ok", known: found)
        #expect(rest > 0 && rest < second.work(topic: "trade", messageType: "pay-ok", known: nil))
        let more = second.matches(topic: "trade", messageType: "pay-ok", known: found)
        #expect(second.groups(topic: "trade", messageType: "pay-ok", more).map(\.group) == ["a", "d", "z"])
        #expect(second.groups(topic: "trade", messageType: "pay-ok", found).map(\.group) == ["a", "d"])
        // One that was gone comes back as a new one.
        let third = BindingTable([regx("b", "fail$"), regx("b", "ok")], after: second)
        #expect(third.work(topic: "trade", messageType: "pay-ok", known: more) > 0)
        let last = third.matches(topic: "trade", messageType: "pay-ok", known: more)
        #expect(third.groups(topic: "trade", messageType: "pay-ok", last).map(\.group) == ["b"])
        #expect(last == third.matches(topic: "trade", messageType: "pay-ok", known: last))
    }

    /// A table that was made from nothing knows nothing of what another found.
    @Test func whatAnotherTableFoundDoesNotMislead() {
        let found = BindingTable([regx("a", "x")]).matches(topic: "trade", messageType: "pay", known: nil)
        let table = BindingTable([regx("b", "pay")])
        let again = table.matches(topic: "trade", messageType: "pay", known: found)
        #expect(table.groups(topic: "trade", messageType: "pay", again).map(\.group) == ["b"])
    }

    @Test func whoAsksNotToBeKeptForIsKnown() {
        let table = BindingTable([
            Binding(group: "a", topic: "t", messageType: "x", persistent: false),
            Binding(group: "a", topic: "t", messageType: "y"), Binding(group: "b", topic: "t", messageType: "x"),
        ])
        #expect(table.volatileGroups == [BindingName("a")])
    }
}
