import Testing

@testable import KiteQBroker

@Suite struct InternetAddressTests {
    @Test(
        arguments: [
            ("127.0.0.1", "127.0.0.1"), ("::ffff:10.0.0.1", "10.0.0.1"), ("[::1]", "::1"),
            ("2001:DB8:0::1", "2001:db8::1"),
            ("fe80::1%eth0", "fe80::1"), ("127.1", nil), ("+1.2.3.4", nil), ("0x7f.0.0.1", nil), ("[127.0.0.1]", nil),
            ("", nil),
            ("1.2.3.4\u{0}x", nil), ("localhost", nil), ("[]", nil), ("1.2.3.4 ", nil), ("٣.2.3.4", nil),
        ] as [(String, String?)])
    func anAddressHasOneNotation(text: String, address: String?) {
        #expect(InternetAddress(text)?.description == address)
    }

    @Test(arguments: [
        ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.1", false), ("192.0.2.7", "192.0.2.7", true),
        ("192.0.2.7", "192.0.2.8", false), ("0.0.0.0/0", "203.0.113.5", true), ("0.0.0.0/0", "2001:db8::1", false),
        ("::/0", "2001:db8::1", true), ("::/0", "203.0.113.5", false), ("2001:db8::/32", "2001:db8:ffff::1", true),
        ("2001:db8::/32", "2001:db9::1", false), ("127.0.0.0/8", "::ffff:127.0.0.1", true),
        ("10.128.0.0/9", "10.127.0.1", false),
    ])
    func aRangeHoldsItsAddresses(range: String, address: String, isIn: Bool) throws {
        let range = try #require(AddressRange(range))
        #expect(try range.contains(#require(InternetAddress(address))) == isIn)
    }

    @Test(arguments: [
        "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8/8", "2001:db8::/129",
        "proxy.example",
        "", "/8", "*",
    ])
    func whatIsNoRangeIsNone(text: String) {
        #expect(AddressRange(text) == nil)
    }
}
