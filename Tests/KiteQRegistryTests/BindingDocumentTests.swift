import Testing

@testable import KiteQCore
@testable import KiteQRegistry

@Suite struct BindingDocumentTests {
    private func read(_ json: String) throws -> BindingDocument {
        try BindingDocument(Array(json.utf8), topic: "trade", group: "s-trade")
    }

    /// As Go's encoding/json writes the client's struct.
    @Test func readsGo() throws {
        let document = try read(
            """
            [{"groupId":"s-trade","topic":"trade","messageType":"pay-succ","bindType":0,"version":"1.0.0",\
            "watermark":1000,"persistent":true},{"groupId":"s-trade","topic":"trade","messageType":"pay-\\\\d+",\
            "bindType":1,"version":"1.0.0","watermark":-1,"persistent":false}]
            """)
        #expect(
            document.bindings == [
                Binding(group: "s-trade", topic: "trade", messageType: "pay-succ", watermark: 1000),
                Binding(
                    group: "s-trade", topic: "trade", messageType: "pay-\\d+", kind: .regx, watermark: -1,
                    persistent: false),
            ])
        #expect(document.problems.isEmpty)
    }

    /// As Java's JSON library writes it: fields in the order of their names, some absent, others unknown.
    @Test func readsJava() throws {
        let document = try read(
            """
            [ { "bindType" : 2, "groupId" : "s-trade", "messageType" : "*", "persistent" : true, "topic" : "trade",
                "version" : "1.0.0", "watermark" : 0, "extra" : {"a": [1]} } ]
            """)
        #expect(document.bindings == [.fanout(group: "s-trade", topic: "trade")])
    }

    @Test func absentFieldsAreZero() throws {
        #expect(
            try read(#"[{"messageType":"a"}]"#).bindings
                == [Binding(group: "s-trade", topic: "trade", messageType: "a", persistent: false)])
        #expect(try read(#"[{"groupId":"","messageType":"a"}]"#).bindings.map(\.group) == ["s-trade"])
        #expect(try read("[]").bindings.isEmpty)
    }

    @Test func theEntrysGroupCounts() throws {
        #expect(try read(#"[{"groupId":"other","messageType":"a"}]"#).bindings.map(\.group) == ["other"])
    }

    @Test func uselessEntriesAreLeftOutAndTheOthersCount() throws {
        let long = String(repeating: "x", count: 256)
        let document = try read(
            """
            [{"topic":"feed","messageType":"a"},{"bindType":3,"messageType":"a"},{"messageType":"\(long)"},
             {"messageType":"good"}]
            """)
        #expect(document.bindings.map(\.messageType) == ["good"])
        #expect(
            document.problems == [
                "an entry is for the topic 'feed'", "an entry has the bindType 3, which is none of 0, 1, 2",
                "an entry has a message type of 256 bytes; at most 255 are allowed",
            ])
    }

    @Test(arguments: [
        "", "192.168.0.7:5678", "null", "{}", "[", "[1]", "[null]", #"[{"bindType":"direct"}]"#,
        #"[{"watermark":1.5}]"#, #"[{"persistent":1}]"#, #"[{"topic":"#, "[]]", "\u{FEFF}",
    ])
    func whatIsNoArrayOfBindingsIsRefused(_ json: String) {
        #expect(throws: BindingDocument.Malformed.self) { try read(json) }
    }

    @Test func saysWhatIsWrong() {
        #expect(throws: BindingDocument.Malformed(reason: "is empty")) { try read("") }
        #expect(
            throws: BindingDocument.Malformed(
                reason: "is no JSON array of bindings: [0].watermark has another type")
        ) { try read(#"[{"watermark":"x"}]"#) }
    }

    @Test func writesWhatItReads() throws {
        let bindings = [
            Binding(
                group: "s-trade", topic: "trade", messageType: "支付/\"\\", kind: .regx, watermark: 7, persistent: false),
            .fanout(group: "s-trade", topic: "trade"),
        ]
        let data = try BindingDocument.encode(bindings)
        #expect(try BindingDocument(data, topic: "trade", group: "s-trade").bindings == bindings)
        #expect(
            String(decoding: data, as: UTF8.self).hasSuffix(
                #""messageType":"*","persistent":true,"topic":"trade","version":"1.0.0","watermark":0}]"#))
    }
}
