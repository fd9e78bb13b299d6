import KiteQCore
import Testing

@testable import KiteQBroker

@Suite struct DeclaredTopicsTests {
    private static func topics(_ numbers: Range<Int>) -> Set<BindingName> {
        Set(numbers.map { BindingName("topic-\($0)") })
    }

    private static func bindings(_ groups: Range<Int>, topics: Int) -> [Binding] {
        groups.flatMap { group in
            (0..<topics).map { Binding(group: "g-\(group)", topic: "topic-\($0)", messageType: "m") }
        }
    }

    @Test func aGroupHasItsShare() {
        var declared = DeclaredTopics()
        let most = DeclaredTopics.mostOfGroup
        let group = BindingName("g-0")
        #expect(declared.declare(Self.topics(0..<most), of: group, beside: []) == nil)
        let more = declared.declare(Self.topics(0..<most + 1), of: group, beside: [])
        #expect(more?.contains("\(most + 1) topics") == true, "\(more ?? "")")
        // What it was bound to before this broker started counts, for it stays.
        var later = DeclaredTopics()
        let old = Self.bindings(0..<1, topics: most)
        #expect(later.declare(Self.topics(0..<5), of: group, beside: old) == nil)
        #expect(later.declare(Self.topics(most..<most + 1), of: group, beside: old) != nil)
        #expect(later.declare(Self.topics(most..<most + 1), of: BindingName("g-1"), beside: old) == nil)
    }

    @Test func allTogetherHaveTheirs() {
        var declared = DeclaredTopics()
        let full = Self.bindings(0..<DeclaredTopics.mostInAll / 100, topics: 100)
        let refused = declared.declare(Self.topics(0..<1), of: BindingName("new"), beside: full)
        #expect(refused?.contains("\(DeclaredTopics.mostInAll)") == true)
        #expect(
            declared.declare(Self.topics(0..<100), of: BindingName("g-7"), beside: full) == nil,
            "it is bound to them already")
    }

    /// The registry is a moment behind: what was declared a moment ago counts.
    @Test func whatIsOnItsWayCounts() {
        var declared = DeclaredTopics()
        let groups = DeclaredTopics.mostInAll / 1_000
        for group in 0..<groups {
            #expect(declared.declare(Self.topics(0..<1_000), of: BindingName("g-\(group)"), beside: []) == nil)
        }
        #expect(declared.declare(Self.topics(0..<1), of: BindingName("new"), beside: []) != nil)
        #expect(declared.declare(Self.topics(0..<1), of: BindingName("g-0"), beside: []) == nil)
        #expect(declared.declare(Self.topics(0..<1), of: BindingName("new"), beside: []) == nil, "there is room again")
    }
}
