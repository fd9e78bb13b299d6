import KiteQCore
import Testing

@testable import kiteq

/// Whatever bytes come, they are a document or an error: the process goes on.
@Suite struct TOMLDamageTests {
    private static let rich = Array(
        #"""
        # ä
        a.'b' = "x\u00e4\n" # c
        d = [0x1F, -1_0.5e3, {e=true, f.g = nan}, 07:32:00]
        [h."i"]
        j = 1979-05-27 07:32:00.5+01:00
        k = """
        "l" \
          m"""
        [[n]]
        o = ''''p'''
        """#.utf8)

    /// - Returns: true where it is a document.
    private static func isTaken(_ bytes: [UInt8]) -> Bool {
        do throws(TOMLError) {
            _ = try TOMLParser.table(of: bytes).configuration()
            return true
        } catch {
            let sentence = error.sentence(of: bytes)
            #expect(error.offset <= bytes.count && sentence.utf8.count < 200 && !VisibleText.needsEscapes(sentence))
            return false
        }
    }

    @Test func itIsADocument() { #expect(Self.isTaken(Self.rich)) }

    @Test func everyBeginning() {
        for count in Self.rich.indices { _ = Self.isTaken(Array(Self.rich[..<count])) }
        #expect(Self.isTaken([]))
    }

    @Test func everyByteThatIsAnother() {
        for index in Self.rich.indices {
            var bytes = Self.rich
            for byte in UInt8.min...UInt8.max {
                bytes[index] = byte
                _ = Self.isTaken(bytes)
            }
        }
    }

    @Test func everyByteThatIsLackingOrTwice() {
        for index in Self.rich.indices {
            var (fewer, more) = (Self.rich, Self.rich)
            fewer.remove(at: index)
            more.insert(Self.rich[index], at: index)
            _ = (Self.isTaken(fewer), Self.isTaken(more))
        }
    }

    /// Were any of these read in the square of its length, this would take more than that.
    @Test(
        .timeLimit(.minutes(1)),
        arguments: [
            ("", "[s#]\n", ""), ("", "[[s]]\n", ""), ("", "k# = 1\n", ""),
            ("", "[[s]]\n[s.t#]\nx.y = 1\nx.z = 2\n", ""),
            ("a = [", "1,", "]"), ("a = {", "k# = 1,", "z = 1}"), ("a = \"", "\\n", "\""),
            ("a = \"\"\"", "\"\"\\\"\\  \n", "\"\"\""),
            ("a = 1.", "9", ""), ("a = 1", "0", ".0"), ("a = 0x", "0", ""), ("a = 07:32:00.", "9", ""),
            ("a = ", " ", "1"),
            ("a = [", "1979-05-27 ,", "]"),
        ])
    func longDocuments(head: String, unit: String, tail: String) {
        let text = (0..<10_000).reduce(into: head) { $0 += unit.replacing("#", with: "\($1)") } + tail
        #expect(Self.isTaken(Array(text.utf8)))
    }
}
