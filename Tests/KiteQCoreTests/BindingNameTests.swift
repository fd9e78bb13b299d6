import Testing

@testable import KiteQCore

/// Names count by their bytes, whatever their length.
@Suite struct BindingNameTests {
    @Test(arguments: 0...40) func eachByteCounts(_ length: Int) {
        let text = String(repeating: "n", count: length)
        #expect(BindingName(text) == BindingName(String(repeating: "n", count: length)))
        #expect(BindingName(text) != BindingName(text + "n"))
        for place in 0..<length {
            let other = text.prefix(place) + "m" + text.dropFirst(place + 1)
            #expect(BindingName(text) != BindingName(String(other)), "byte \(place)")
        }
    }

    @Test func spellingsOfOneTextAreTwoNames() {
        let (one, two) = ("caf\u{E9}", "cafe\u{301}")
        #expect(one == two && BindingName(one) != BindingName(two))
        // As many bytes, and the same text.
        #expect(one + two == two + one && BindingName(one + two) != BindingName(two + one))
    }
}
