import KiteQCore
import KiteQRegistry
import KiteQStore
import Testing

@testable import KiteQAdmin

/// Groups and topics by a part of their name, bindings by what they bind.
@Suite struct SearchTests {
    private static func names(_ answer: AdminFixture.Answer, _ key: String = "group") throws -> [String] {
        try answer.items().compactMap { $0[key] as? String }
    }

    @Test func groupsAreFoundByAPartOfTheirName() async throws {
        try await AdminFixture.serving { (admin: AdminFixture) async throws -> Void in
            let expected = ["mem": ["s-member"], "MEMBER": ["s-member"], "s-": ["s-<b>", "s-member"], "x": []]
            for (search, found) in expected {
                let answer = try await admin.get("groups?search=\(search)")
                #expect(try Self.names(answer) == found, "\(search)")
            }
            #expect(try await Self.names(admin.get("groups?search=%3Cb%3E")) == ["s-<b>"])
        }
    }

    /// The names of each page.
    private static func pages(of query: String, _ admin: AdminFixture) async throws -> [[String]] {
        var (found, cursor) = ([[String]](), "")
        for _ in 0..<20 {
            let answer = try await admin.get("groups?\(query)\(cursor)")
            found.append(try names(answer))
            guard let next = try answer.object()["next"] as? String else { break }
            cursor = "&cursor=\(next.replacing("+", with: "%2B").replacing("=", with: "%3D"))"
        }
        return found
    }

    /// What does not match makes no page of its own.
    @Test func aSearchGoesOnPageByPage() async throws {
        try await AdminFixture.serving { (admin: AdminFixture) async throws -> Void in
            for group in ["a-1", "b-1", "b-2", "c-1"] { _ = try await admin.store.pause(group, by: "x", reason: "x") }
            #expect(try await Self.pages(of: "search=b-&limit=1", admin) == [["b-1"], ["b-2"]])
            #expect(try await Self.pages(of: "search=nothing&limit=1", admin) == [[]])
        }
    }

    @Test func groupsThatAreOnlyBoundAreListedOnce() async throws {
        let bindings = (1...5).map { Binding(group: "g-\($0)", topic: "trade", messageType: "paid") }
        try await AdminFixture.serving(registry: StaticRegistry(bindings: bindings)) {
            (admin: AdminFixture) async throws -> Void in
            for group in ["a-0", "g-25", "z-9"] { _ = try await admin.store.pause(group, by: "x", reason: "x") }
            #expect(
                try await Self.pages(of: "limit=2", admin) == [
                    ["a-0", "g-1"], ["g-2", "g-25"], ["g-3", "g-4"], ["g-5", "z-9"],
                ])
        }
    }

    @Test func topicsAreFoundByAPartOfTheirName() async throws {
        try await AdminFixture.serving { (admin: AdminFixture) async throws -> Void in
            #expect(try await Self.names(admin.get("topics?search=RAD"), "topic") == ["trade"])
            #expect(try await Self.names(admin.get("topics?search=feed"), "topic").isEmpty)
        }
    }

    @Test func bindingsAreFilteredByGroupAndTopic() async throws {
        try await AdminFixture.serving { (admin: AdminFixture) async throws -> Void in
            #expect(try await Self.names(admin.get("bindings?topic=trade")) == ["s-<b>", "s-member"])
            #expect(try await Self.names(admin.get("bindings?group=s-member&topic=trade")) == ["s-member"])
            #expect(try await Self.names(admin.get("bindings?group=s-mem")).isEmpty)
            #expect(try await Self.names(admin.get("bindings?topic=feed")).isEmpty)
        }
    }

    @Test(arguments: [
        "groups?search=", "topics?search=", "bindings?topic=", "bindings?group=&topic=a", "topics?name=a",
    ])
    func whatCannotBeSearchedIsRefused(path: String) async throws {
        try await AdminFixture.serving { (admin: AdminFixture) async throws -> Void in
            let answer = try await admin.get(path)
            #expect(answer.status == 400, "\(answer.text)")
        }
    }
}
