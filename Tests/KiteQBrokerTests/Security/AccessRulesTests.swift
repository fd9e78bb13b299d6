import Glibc
import KiteQCore
import Testing

@testable import KiteQBroker

@Suite struct AccessRulesTests {
    private static func hashed(_ secret: String, rounds: Int = 1_000) -> GroupSecret {
        .hashed(SecretHash(of: secret, rounds: rounds))
    }

    private func rules(_ groups: [String: GroupAccess], requires: Bool = true) -> AccessRules {
        AccessRules(
            groups: Dictionary(uniqueKeysWithValues: groups.map { (BindingName($0.key), $0.value) }),
            requiresSecret: requires)
    }

    @Test func anyOfAGroupsSecretsWillDo() {
        let (old, new) = (Self.hashed("old"), Self.hashed("new"))
        let rules = rules(["s-a": GroupAccess(secrets: [old, new])])
        let group = BindingName("s-a")
        #expect(rules.admit(group, secret: "old", certificate: []) == .secret(old))
        #expect(rules.admit(group, secret: "new", certificate: []) == .secret(new))
        #expect(rules.admit(group, secret: "other", certificate: []) == nil)
        #expect(rules.admit(BindingName("s-b"), secret: "old", certificate: []) == nil)
    }

    @Test func aCertificateIsAskedForBesideTheSecretOrAlone() {
        let secret = GroupSecret.plain("right")
        let rules = rules([
            "both": GroupAccess(secrets: [secret], certificate: "pay.example"),
            "alone": GroupAccess(certificate: "pay.example"),
        ])
        let (both, alone) = (BindingName("both"), BindingName("alone"))
        #expect(rules.admit(both, secret: "right", certificate: ["x", "pay.example"]) == .secret(secret))
        #expect(rules.admit(both, secret: "right", certificate: ["pay.example.org"]) == nil)
        #expect(rules.admit(both, secret: "wrong", certificate: ["pay.example"]) == nil)
        #expect(rules.admit(alone, secret: "", certificate: ["pay.example"]) == .certificate)
        #expect(rules.admit(alone, secret: "right", certificate: []) == nil)
    }

    @Test func withoutBeingAskedAnUnknownGroupIsLetInAndAKnownOneStillProvesItself() {
        let rules = rules(["s-a": GroupAccess(secrets: [.plain("right")])], requires: false)
        #expect(rules.admit(BindingName("s-b"), secret: "", certificate: []) == .anyone)
        #expect(rules.admit(BindingName("s-a"), secret: "", certificate: []) == nil)
    }

    @Test func groupsCountByTheirBytes() {
        // The same letter, composed and not.
        let rules = rules(["caf\u{E9}": GroupAccess(secrets: [.plain("right")])])
        #expect(rules.admit(BindingName("caf\u{E9}"), secret: "right", certificate: []) != nil)
        #expect(rules.admit(BindingName("cafe\u{301}"), secret: "right", certificate: []) == nil)
    }

    @Test func rightsAreTheGroupsOwnOrTheDefault() {
        let trade = TopicRights.only([BindingName("trade")])
        let rules = AccessRules(
            groups: [BindingName("p-a"): GroupAccess(publish: trade, subscribe: .none)], defaultRights: .none)
        #expect(rules.mayPublish("p-a", to: "trade") && !rules.mayPublish("p-a", to: "feed"))
        #expect(!rules.maySubscribe("p-a", to: "trade"))
        #expect(!rules.mayPublish("p-b", to: "trade"))
        #expect(AccessRules().mayPublish("p-b", to: "trade") && AccessRules().maySubscribe("p-b", to: "trade"))
    }

    @Test func whoSpeaksForWhomIsSaid() {
        let rules = rules(["gate": GroupAccess(speaksFor: [BindingName("s-java")]), "p-pay": GroupAccess()])
        #expect(rules.maySpeak("gate", for: "gate") && rules.maySpeak("gate", for: "s-java"))
        #expect(!rules.maySpeak("gate", for: "p-pay") && !rules.maySpeak("gate", for: ""))
        #expect(!rules.maySpeak("s-java", for: "gate"), "it is not mutual")
        #expect(!rules.maySpeak("unknown", for: "gate") && rules.maySpeak("unknown", for: "unknown"))
        #expect(AccessRules().maySpeak("anybody", for: "p-pay"), "nobody shows who he is")
        #expect(!AccessRules(requiresSecret: true).maySpeak("anybody", for: "p-pay"))
    }

    @Test func whatWasLetInIsStillForAsLongAsWhatLetItInStands() {
        let (old, new) = (GroupSecret.plain("old"), GroupSecret.plain("new"))
        let group = BindingName("s-a")
        let rotating = rules(["s-a": GroupAccess(secrets: [old, new])])
        let rotated = rules(["s-a": GroupAccess(secrets: [new])])
        #expect(rotating.stillAdmits(group, .secret(old), certificate: []))
        #expect(!rotated.stillAdmits(group, .secret(old), certificate: []))
        #expect(rotated.stillAdmits(group, .secret(new), certificate: []))
        #expect(!rules([:]).stillAdmits(group, .secret(new), certificate: []))
        #expect(rules([:], requires: false).stillAdmits(group, .secret(new), certificate: []))
        #expect(!rotated.stillAdmits(group, .anyone, certificate: []))
    }

    /// The least processor time of several runs: what else the machine does makes none of them shorter.
    private func least(_ body: () -> Void) -> Duration {
        func spent() -> Duration {
            var time = timespec()
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
            return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
        }
        return (0..<5).map { _ in
            let start = spent()
            body()
            return spent() - start
        }.min() ?? .zero
    }

    /// Whatever is wrong with it.
    @Test func allRefusalsOfAGroupTakeTheSameTime() {
        let secrets = [Self.hashed("a", rounds: 50_000), Self.hashed("b", rounds: 20_000)]
        let rules = rules(["s-a": GroupAccess(secrets: secrets, certificate: "name")])
        let times = [["name"], ["other"], []].map { names in
            least { #expect(rules.admit(BindingName("s-a"), secret: "wrong", certificate: names) == nil) }
        }
        let (shortest, longest) = (times.min() ?? .zero, times.max() ?? .zero)
        #expect(longest < shortest * 2, "\(times)")
    }

    /// No time tells an unknown name from a known one, and a dear group is dear for itself.
    @Test func anUnknownNameCostsWhatAKnownGroupDoes() {
        var groups = Dictionary(
            uniqueKeysWithValues: (0..<9).map { ("s-\($0)", GroupAccess(secrets: [Self.hashed("a")])) })
        groups["dear"] = GroupAccess(secrets: [Self.hashed("a", rounds: 600_000)])
        let rules = rules(groups)
        #expect(rules.price(of: BindingName("dear")) == 600_000 && rules.price(of: BindingName("s-3")) == 1_000)
        let unknown = (0..<2_000).map { BindingName("nobody-\($0)") }
        let prices = unknown.map(rules.price)
        #expect(Set(prices) == [1_000, 600_000])
        #expect((100..<320).contains(prices.count { $0 == 600_000 }), "a tenth, as among the known")
        #expect(prices == unknown.map(self.rules(groups).price), "a reload changes none")
        #expect(AccessRules(requiresSecret: true).price(of: BindingName("nobody")) == 0)
    }

    /// Whoever could see a name's price change would know that nobody has it.
    @Test func aReloadOrARestartChangesThePriceOfFewUnknownNames() throws {
        func group(_ number: Int) throws -> (String, GroupAccess) {
            let digits = String(number + 256, radix: 16)
            let text =
                "pbkdf2-sha256:\(1_000 * (1 + number % 10)):\(String(repeating: "0\(digits)", count: 8)):\(String(repeating: "ab", count: 32))"
            return ("s-\(number)", GroupAccess(secrets: [try GroupSecret(parsing: text)]))
        }
        func prices(_ numbers: some Sequence<Int>) throws -> [Int] {
            let rules = rules(Dictionary(uniqueKeysWithValues: try numbers.map(group)))
            return (0..<2_000).map { rules.price(of: BindingName("nobody-\($0)")) }
        }
        let before = try prices(0..<100)
        #expect(Set(before).count == 10)
        #expect(try prices((0..<100).reversed()) == before, "another broker, or a restart")
        for after in [try prices(0..<101), try prices(1..<100)] {
            let moved = zip(before, after).count { $0 != $1 }
            #expect(moved > 0 && moved < 200, "\(moved) of 2,000")
        }
    }

    @Test func whatOneLogInCostsIsBounded() {
        let dear = { Self.hashed("a", rounds: 1_000_000) }
        #expect(GroupAccess(secrets: [dear(), dear()]).problem == nil)
        #expect(GroupAccess(secrets: [dear(), dear(), Self.hashed("b")]).problem?.contains("2001000 rounds") == true)
    }
}
