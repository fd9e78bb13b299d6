import KiteQCore
import Testing

@testable import KiteQBroker

@Suite struct SecretTests {
    @Test func aHashKnowsItsSecretAndNoOther() throws {
        let hash = SecretHash(of: "open sesame", rounds: 1_000)
        let read = try GroupSecret(parsing: hash.text)
        #expect(read.matches("open sesame"))
        for other in ["open sesam", "open sesame ", "", "Open sesame"] { #expect(!read.matches(other)) }
        #expect(SecretHash(of: "open sesame", rounds: 1_000) != hash, "each has a salt of its own")
    }

    @Test func theHashIsTheStandards() throws {
        // Made with Python: hashlib.pbkdf2_hmac("sha256", b"secret", bytes(range(16)), 4096).hex()
        let text =
            "pbkdf2-sha256:4096:000102030405060708090a0b0c0d0e0f:53d93afc94b1e0dc86f60601ea1d03dbf7330e4c0ab5706527f9101d8dcaec29"
        #expect(try GroupSecret(parsing: text).matches("secret"))
    }

    @Test(arguments: [
        "", "secret", "plain:", "pbkdf2-sha256", "pbkdf2-sha256:1000:00", "pbkdf2-sha1:1000:0011223344556677:00",
        "pbkdf2-sha256:999:00112233445566778899aabbccddeeff:" + String(repeating: "00", count: 32),
        "pbkdf2-sha256:1000001:00112233445566778899aabbccddeeff:" + String(repeating: "00", count: 32),
        "pbkdf2-sha256:1000:0011:" + String(repeating: "00", count: 32),
        "pbkdf2-sha256:1000:00112233445566778899aabbccddeegg:" + String(repeating: "00", count: 32),
        "pbkdf2-sha256:1000:00112233445566778899aabbccddeeff:" + String(repeating: "0", count: 63),
    ])
    func whatIsNoneIsOneSentenceWithoutIt(text: String) {
        let error = #expect(throws: InvalidRule.self) { try GroupSecret(parsing: text) }
        if text.utf8.count > 20 { #expect(error?.message.contains(text) == false) }
    }

    @Test func noDescriptionShowsIt() throws {
        let hash = SecretHash(of: "hush", rounds: 1_000)
        let rules = AccessRules(plain: ["s-a": "hush"])
        let hashed = AccessRules(groups: [BindingName("s-a"): GroupAccess(secrets: [.hashed(hash)])])
        var dumped = ""
        for value in [rules, hashed] {
            dump(value, to: &dumped)
            dumped += "\(value) \(String(reflecting: value))"
        }
        #expect(!dumped.contains("hush"))
        #expect(!dumped.contains(String(hash.text.suffix(20))))
    }
}
