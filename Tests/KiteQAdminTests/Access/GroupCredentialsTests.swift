import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Testing

@testable import KiteQAdmin

/// Who a request says that it is.
@Suite struct GroupCredentialsTests {
    private func credentials(_ shown: String) throws -> GroupCredentials {
        let encoded = Data(shown.utf8).base64EncodedString()
        let head = HTTPRequest(
            method: .post, scheme: nil, authority: nil, path: "/", headerFields: [.authorization: "Basic \(encoded)"])
        return try GroupCredentials(Request(head: head, body: .init(buffer: ByteBuffer())))
    }

    /// The first colon parts them, by bytes: to Swift a colon with an accent behind it is another character.
    @Test(arguments: [
        ("p-pay:s3cret", "p-pay", "s3cret"), ("p-pay:", "p-pay", ""), ("p-pay:a:b", "p-pay", "a:b"),
        ("p-pay:\u{301}a:b", "p-pay", "\u{301}a:b"),
    ])
    func theFirstColonPartsThem(shown: String, group: String, secret: String) throws {
        let credentials = try credentials(shown)
        #expect(credentials.group.utf8.elementsEqual(group.utf8))
        #expect(credentials.secret.utf8.elementsEqual(secret.utf8))
    }

    @Test(arguments: ["p-pay", ":s3cret", String(repeating: "g", count: 256) + ":s3cret"])
    func whatNamesNoGroupIsNobodys(shown: String) {
        let problem = #expect(throws: Problem.self) { try credentials(shown) }
        #expect(problem?.status == .unauthorized)
    }
}
