import Testing

@testable import KiteQCore
@testable import KiteQRegistry

@Suite struct RegistryFileTests {
    @Test func readsTheWhole() throws {
        let listing = try RegistryFile.parse(
            """
            brokers:
              - address: "localhost:13800"
                topics: ["trade", "feed"]
                env: "dev"
              - address: "[::1]:13801"
                topics: [trade]
            bindings:
              - groupIds: ["s-trade", "t-trade"]
                topic: "trade"
                messageType: "pay-succ"
                bindType: "direct"
                watermark: 1000
                persistent: true
              - groupIds: [s-feed]
                topic: feed
                bindType: fanout
                persistent: false
              - {groupIds: [s-feed], topic: feed, bindType: regx, messageType: "^a\\\\d"}
            """)
        let local = BrokerAddress(host: "localhost", port: 13800)
        let other = BrokerAddress(host: "::1", port: 13801)
        #expect(listing.brokers == [local: ["trade", "feed"], other: ["trade"]])
        #expect(listing.brokers(of: "trade") == [other, local])
        #expect(listing.brokers(of: "feed") == [local])
        #expect(listing.brokers(of: "log").isEmpty)
        #expect(
            listing.bindings == [
                Binding(group: "s-trade", topic: "trade", messageType: "pay-succ", watermark: 1000),
                Binding(group: "t-trade", topic: "trade", messageType: "pay-succ", watermark: 1000),
                .fanout(group: "s-feed", topic: "feed", persistent: false),
                Binding(group: "s-feed", topic: "feed", messageType: "^a\\d", kind: .regx),
            ])
    }

    @Test(arguments: ["bindings: []", "brokers:\nbindings:", "brokers: []\nbindings: []", "{}"])
    func none(_ text: String) throws {
        #expect(try RegistryFile.parse(text) == .init())
    }

    @Test(arguments: [
        ("", "the file is empty"), ("# only a comment\n", "the file is empty"),
        ("- a", "line 1: the file is no mapping"),
        ("bindings: [", "no YAML"), ("a: b: c", "line 1: this is no YAML"),
        ("bindings: 3", "line 1: bindings is no list"),
        ("bindngs: []", "line 1: 'bindngs' is not known here"),
        (
            "bindings:\n  - groupIds: [g]\n    topic: t\n    messageType: a\n    bindType: topic\n",
            "line 5: the bindType 'topic'"
        ),
        ("bindings:\n  - groupIds: [g]\n    topic: t\n    messageType: a\n    watermak: 5\n", "line 5: 'watermak'"),
        (
            "bindings:\n  - groupIds: [g]\n    topic: t\n    messageType: a\n    watermark: lots\n",
            "line 5: the watermark"
        ),
        ("bindings:\n  - groupIds: [g]\n    topic: t\n    messageType: a\n    persistent: 7\n", "line 5: persistent"),
        ("bindings:\n  - groupIds: [g]\n    messageType: a\n", "line 2: a binding names no topic"),
        ("bindings:\n  - groupIds: [g]\n    topic: t\n", "line 2: a binding has no messageType"),
        ("bindings:\n  - topic: t\n    messageType: a\n", "line 2: a binding has no groupIds"),
        ("bindings:\n  - groupIds: g\n    topic: t\n", "line 2: groupIds is no list"),
        ("bindings:\n  - groupIds: ['']\n    topic: t\n", "line 2: a group is empty"),
        ("brokers:\n  - address: localhost\n    topics: []\n", "line 2: the address 'localhost'"),
        ("brokers:\n  - address: h:1\n", "line 2: the broker h:1 has no topics"),
        ("brokers:\n  - topics: []\n", "line 2: a broker has no address"),
        (
            "brokers:\n  - address: h:1\n    topics: []\n  - address: h:1\n    topics: []\n",
            "line 4: the broker h:1 is listed twice"
        ),
        ("bindings: []\nbindings: []\n", "given twice: bindings"),
    ])
    func saysWhatIsWrongAndWhere(_ text: String, _ clause: String) {
        let error = #expect(throws: RegistryFile.Malformed.self) { try RegistryFile.parse(text) }
        #expect(error?.description.contains(clause) == true, "\(error?.description ?? "")")
    }
}
