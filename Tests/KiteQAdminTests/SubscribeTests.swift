import Foundation
import KiteQRegistry
import Logging
import Testing

@testable import KiteQAdmin

/// Bindings that a group declares over HTTP.
@Suite struct SubscribeTests {
    @Test func aRegistryThatCanBeWrittenTakesThem() async throws {
        try await AdminFixture.serving { admin in
            let body = #"{"bindings": [{"topic": "trade", "messageType": "new"}]}"#
            #expect(try await admin.post("subscribe", body, group: "s-new").status == 200)
            try await eventually("it is bound") { try await admin.get("bindings?group=s-new").items().count == 1 }
        }
    }

    @Test func aFileSaysItsBindingsItself() async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "kiteq-registry-\(UUID().uuidString).yaml")
        try Data("bindings:\n  - {groupIds: [s-a], topic: trade, messageType: paid, bindType: direct}\n".utf8).write(
            to: file)
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: file) } }
        let registry = try RegistryConfiguration(url: "file://\(file.path)").makeRegistry(logger: Logger(label: "test"))
        try await AdminFixture.serving(registry: registry) { admin in
            let other = #"{"bindings": [{"topic": "trade", "messageType": "other"}]}"#
            let answer = try await admin.post("subscribe", other, group: "s-a")
            #expect(answer.status == 409, "\(answer.text)")
            let detail = try #require(try answer.object()["detail"] as? String)
            #expect(detail.contains("in its registry's file") && !detail.contains(file.path))
        }
    }
}
