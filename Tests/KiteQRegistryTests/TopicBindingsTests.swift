import KiteQCore
import Testing

@testable import KiteQRegistry

/// When a node that is missing ends a binding, and when it does not.
@Suite struct TopicBindingsTests {
    private let topic = BindingName("trade")

    private func binding(_ group: String, _ type: String = "a") -> Binding {
        Binding(group: group, topic: "trade", messageType: type)
    }

    /// Lists these groups' nodes, and reads those that are to be read, with one binding each.
    @discardableResult
    private func list(
        _ groups: [String], _ sighting: Sighting, in bindings: inout TopicBindings, type: String = "a"
    ) throws -> TopicBindings.Listed {
        let listed = bindings.list(groups.map { BindingName("\($0)-bind") }, sighting)
        for name in listed.unread {
            let data = try BindingDocument.encode([binding(String(name.text.dropLast(5)), type)])
            let problems = bindings.read(name, data: data, topic: topic)
            #expect(problems == [])
        }
        return listed
    }

    private func sighting(_ creation: Int64, _ time: Int64, _ change: Int64) -> Sighting {
        Sighting(creation: creation, creationTime: time, lastChange: change)
    }

    @Test func aNodeDeletedUnderItsTopicEndsItsBindings() throws {
        var bindings = TopicBindings()
        try list(["g", "h"], sighting(5, 100, 7), in: &bindings)
        #expect(bindings.bindings == [binding("g"), binding("h")])
        let afterDeletion = try list(["h"], sighting(5, 100, 8), in: &bindings)
        #expect(afterDeletion.lost.isEmpty)
        #expect(bindings.bindings == [binding("h")])
        try list([], sighting(5, 100, 9), in: &bindings)
        #expect(bindings.bindings.isEmpty)
    }

    @Test(arguments: [
        // Emptied, and so far along that the number would fit; made at the same number; restored from a backup.
        (3, 200, 900), (5, 200, 6), (5, 100, 6),
    ])
    func aNodeLostWithItsTopicKeepsThem(_ creation: Int64, _ time: Int64, _ change: Int64) throws {
        var bindings = TopicBindings()
        try list(["g", "h"], sighting(5, 100, 7), in: &bindings)
        let listed = try list(["h"], sighting(creation, time, change), in: &bindings)
        #expect(listed.lost == [BindingName("g")])
        #expect(bindings.bindings == [binding("g"), binding("h")])
        // Said once, and not undone by what goes on there.
        let later = try list(["h"], sighting(creation, time, change + 1), in: &bindings)
        let latest = try list([], sighting(creation, time, change + 2), in: &bindings)
        #expect(later.lost.isEmpty && latest.lost.isEmpty)
        #expect(bindings.bindings == [binding("g")])
        // The group is back: what it says now counts, and its node's deletion too.
        try list(["g"], sighting(creation, time, change + 3), in: &bindings, type: "b")
        #expect(bindings.bindings == [binding("g", "b")])
        try list([], sighting(creation, time, change + 4), in: &bindings)
        #expect(bindings.bindings.isEmpty)
    }

    @Test func whatWasKnownBeforeStaysUntilItsGroupSpeaks() throws {
        var bindings = TopicBindings()
        bindings.assume([binding("g"), binding("g", "b"), binding("h")])
        #expect(!bindings.isKnown)
        let listed = try list(["h"], sighting(5, 100, 7), in: &bindings, type: "c")
        #expect(listed.lost == [BindingName("g")])
        #expect(bindings.isKnown)
        #expect(bindings.bindings == [binding("g"), binding("g", "b"), binding("h", "c")])
        // What another follower remembers is older than what was listed here.
        bindings.assume([binding("i")])
        #expect(bindings.bindings.count == 3)
        // An empty list is how a group, or a person, says that there is nothing.
        _ = bindings.list([BindingName("g-bind"), BindingName("h-bind")], sighting(5, 100, 8))
        let problems = bindings.read(BindingName("g-bind"), data: Array("[]".utf8), topic: topic)
        #expect(problems == [])
        #expect(bindings.bindings == [binding("h", "c")])
    }

    @Test func anUnreadableNodeLeavesWhatStandsIn() throws {
        var bindings = TopicBindings()
        try list(["g"], sighting(5, 100, 7), in: &bindings)
        try list([], sighting(9, 200, 9), in: &bindings)
        // As the Java client comes back: with its address first.
        _ = bindings.list([BindingName("g-bind")], sighting(9, 200, 10))
        let problems = bindings.read(BindingName("g-bind"), data: Array("10.1.2.3:456".utf8), topic: topic)
        #expect(problems.count == 1)
        #expect(bindings.bindings == [binding("g")])
        try list([], sighting(9, 200, 11), in: &bindings)
        #expect(bindings.bindings.isEmpty)
    }

    @Test func aNodeThatSpeaksForAnotherGroupIsNotCountedTwice() throws {
        var bindings = TopicBindings()
        bindings.assume([binding("x"), binding("x", "b")])
        _ = bindings.list([BindingName("y-bind")], sighting(5, 100, 7))
        let data = try BindingDocument.encode([binding("x")])
        _ = bindings.read(BindingName("y-bind"), data: data, topic: topic)
        #expect(Set(bindings.bindings.map(\.messageType)) == ["a", "b"] && bindings.bindings.count == 2)
    }

    @Test func aNodeGoneBeforeItWasReadIsWatchedWhenItIsBack() throws {
        var bindings = TopicBindings()
        try list(["g"], sighting(5, 100, 7), in: &bindings)
        let isToBeListed = bindings.miss(BindingName("g-bind"))
        #expect(isToBeListed)
        let listed = bindings.list([BindingName("g-bind")], sighting(5, 100, 9))
        #expect(listed.unread == [BindingName("g-bind")])
        let isUnknownToBeListed = bindings.miss(BindingName("h-bind"))
        #expect(!isUnknownToBeListed)
    }

    @Test func aNodeThatCannotBeReadHoldsUpNothingElse() throws {
        var bindings = TopicBindings()
        bindings.assume([binding("g")])
        let listed = bindings.list(["f", "g", "h"].map { BindingName("\($0)-bind") }, sighting(5, 100, 7))
        #expect(listed.unread.count == 3)
        _ = bindings.read(BindingName("h-bind"), data: try BindingDocument.encode([binding("h")]), topic: topic)
        #expect(!bindings.isKnown)
        let said = ["f", "g", "g"].map { bindings.refuse(BindingName("\($0)-bind"), "its ACL", isLasting: true) }
        // Each is news once.
        #expect(said == [true, true, false])
        // What g had stands in, f had nothing.
        #expect(bindings.isKnown)
        #expect(bindings.bindings == [binding("g"), binding("h")])
        #expect(bindings.troubles.map(\.node.text) == ["f-bind", "g-bind"])
        // It can be read again: what it says counts, and nothing is the matter with it any more.
        _ = bindings.read(BindingName("g-bind"), data: try BindingDocument.encode([binding("g", "b")]), topic: topic)
        #expect(bindings.bindings == [binding("g", "b"), binding("h")])
        #expect(bindings.troubles.map(\.node.text) == ["f-bind"])
        // Deleted while it could not be read.
        try list(["g", "h"], sighting(5, 100, 8), in: &bindings)
        #expect(bindings.troubles.isEmpty)
    }

    @Test func whatMayPassIsTriedBeforeANodeIsLeftOut() throws {
        var bindings = TopicBindings()
        _ = bindings.list([BindingName("g-bind")], sighting(5, 100, 7))
        for _ in 1..<TopicBindings.patience {
            let isNews = bindings.refuse(BindingName("g-bind"), "it fails", isLasting: false)
            #expect(!isNews && !bindings.isKnown)
        }
        let isNews = bindings.refuse(BindingName("g-bind"), "it fails", isLasting: false)
        #expect(isNews && bindings.isKnown && bindings.bindings.isEmpty)
    }

    @Test func whatIsNoBindingIsAProblemAsLongAsItIsThere() throws {
        var bindings = TopicBindings()
        _ = bindings.list([BindingName("g-bind")], sighting(5, 100, 7))
        _ = bindings.read(BindingName("g-bind"), data: Array(repeating: 0xFF, count: 2 << 20), topic: topic)
        #expect(bindings.isKnown && bindings.troubles.count == 1)
        _ = bindings.read(BindingName("g-bind"), data: Array("[]".utf8), topic: topic)
        #expect(bindings.troubles.isEmpty)
    }

    @Test func aTopicThatCannotBeListedIsHiddenUnlessSomebodyRemembers() throws {
        var forgotten = TopicBindings()
        forgotten.refuse("its ACL")
        #expect(forgotten.isHidden && !forgotten.isKnown)
        try list(["g"], sighting(5, 100, 7), in: &forgotten)
        #expect(!forgotten.isHidden && forgotten.isKnown && forgotten.refusal == nil)
        // Known once, it stays so.
        forgotten.refuse("its ACL")
        #expect(!forgotten.isHidden && forgotten.bindings == [binding("g")])

        var remembered = TopicBindings()
        remembered.assume([binding("g")])
        remembered.refuse("its ACL")
        #expect(!remembered.isHidden && remembered.isKnown && remembered.bindings == [binding("g")])
    }

    @Test func brokersLostWithTheirTopicStay() throws {
        let one = BrokerAddress(host: "10.0.0.1", port: 1)
        let two = BrokerAddress(host: "10.0.0.2", port: 1)
        var brokers = TopicBrokers()
        #expect(!brokers.isKnown)
        /// Lists these, and returns who is lost and who stays.
        func list(_ present: [BrokerAddress], _ sighting: Sighting?) -> [[BrokerAddress]] {
            let lost = brokers.list(present, sighting)
            return [lost, brokers.brokers]
        }
        #expect(list([two, one], sighting(5, 100, 7)) == [[], [one, two]])
        #expect(list([], nil) == [[one, two], [one, two]])
        #expect(list([one], sighting(3, 200, 4)) == [[], [one, two]])
        #expect(list([one, two], sighting(3, 200, 5)) == [[], [one, two]])
        #expect(list([two], sighting(3, 200, 6)) == [[], [two]])
        #expect(list([], sighting(3, 200, 7)) == [[], []])
    }

    // MARK: What is remembered comes late

    @Test func aGroupThatNobodyCanTellOfHidesTheTopicUntilItIsRemembered() throws {
        var bindings = TopicBindings()
        bindings.assume(nil)
        _ = bindings.list(["f", "g", "h"].map { BindingName("\($0)-bind") }, sighting(5, 100, 7))
        _ = bindings.read(BindingName("h-bind"), data: try BindingDocument.encode([binding("h", "b")]), topic: topic)
        #expect(!bindings.isHidden, "it is still read")
        _ = bindings.refuse(BindingName("g-bind"), "its ACL", isLasting: true)
        _ = bindings.read(BindingName("f-bind"), data: Array("{".utf8), topic: topic)
        #expect(!bindings.isKnown && bindings.isHidden)
        bindings.assume([binding("f"), binding("g"), binding("h"), binding("lost")])
        #expect(bindings.isKnown && !bindings.isHidden)
        #expect(bindings.bindings == [binding("f"), binding("g"), binding("h", "b"), binding("lost")])
        bindings.assume([binding("i")])
        #expect(bindings.bindings.count == 4, "what was listed since is newer")
    }

    @Test func whatEndedBeforeItWasRememberedIsOver() throws {
        var bindings = TopicBindings()
        bindings.assume(nil)
        try list(["g", "h"], sighting(5, 100, 7), in: &bindings)
        #expect(bindings.isKnown, "all said what they are bound to")
        try list(["h"], sighting(5, 100, 8), in: &bindings)
        bindings.assume([binding("g"), binding("h"), binding("lost")])
        #expect(bindings.bindings == [binding("h"), binding("lost")])
    }

    @Test func aTopicThatCannotBeListedIsWhatIsRememberedOfIt() {
        var bindings = TopicBindings()
        bindings.assume(nil)
        bindings.refuse("its ACL")
        #expect(bindings.isHidden)
        bindings.assume([binding("g")])
        #expect(bindings.isKnown && bindings.bindings == [binding("g")])
    }
}
