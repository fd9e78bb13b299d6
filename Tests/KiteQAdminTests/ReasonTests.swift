import Foundation
import HTTPTypes
import Testing

@testable import KiteQAdmin

/// Why an act is done: asked for or not, it is in the audit.
@Suite struct ReasonTests {
    private static let plain: HTTPFields = [.contentType: "text/plain"]

    @Test func aReasonThatIsGivenIsWrittenDown() async throws {
        try await AdminFixture.serving { (admin: AdminFixture) async throws -> Void in
            let why = #"{"reason": "its database is back"}"#
            #expect(try await admin.post("groups/s-member/resume", why).status == 200)
            #expect(try await admin.post("broker/reload", why).status == 200)
            let letters = #"{"letters": ["0:1"], "reason": "the bug is mended"}"#
            #expect(try await admin.post("dead-letters/requeue", letters).status == 200)
            let all = #"{"filter": {"reason": "expired"}, "count": 0, "reason": "too old"}"#
            #expect(try await admin.post("dead-letters/delete", all).status == 200)
            let entries = try await admin.get("audit").items()
            let details = try entries.reversed().map { entry in
                let text = try #require(entry["detail"] as? String)
                return try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: String])
            }
            #expect(
                details == [
                    ["reason": "its database is back"], ["reason": "its database is back"],
                    ["reason": "the bug is mended", "letters": "0:1"],
                    ["reason": "too old", "filter.reason": "expired", "count": "0"],
                ])
        }
    }

    @Test(arguments: ["groups/s-member/resume", "broker/reload"])
    func itMayBeLeftOut(path: String) async throws {
        try await AdminFixture.serving { (admin: AdminFixture) async throws -> Void in
            #expect(try await admin.post(path, "").status == 200)
            #expect(try await admin.post(path, "", headers: Self.plain).status == 200)
            #expect(try await admin.post(path, "{}").status == 200)
            #expect(try await admin.get("audit").items().map { $0["detail"] as? String } == ["{}", "{}", "{}"])
        }
    }

    @Test(arguments: ["groups/s-member/resume", "broker/reload"])
    func aBodyThatIsThereIsOfAReason(path: String) async throws {
        try await AdminFixture.serving { (admin: AdminFixture) async throws -> Void in
            let long = #"{"reason": ""# + String(repeating: "x", count: 501) + #""}"#
            for body in ["{", "[]", #"{"reason": ""}"#, #"{"reason": 1}"#, #"{"why": "x"}"#, long] {
                #expect(try await admin.post(path, body).status == 400, "\(body.prefix(30))")
            }
            #expect(try await admin.post(path, #"{"reason": "x"}"#, headers: Self.plain).status == 415)
            #expect(
                try await admin.get("audit").items().allSatisfy {
                    ($0["outcome"] as? String)?.hasPrefix("refused: ") == true
                })
        }
    }
}
