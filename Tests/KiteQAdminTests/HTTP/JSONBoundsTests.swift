import HTTPTypes
import NIOCore
import Testing

@testable import KiteQAdmin

@Suite struct JSONBoundsTests {
    private func check(_ text: String, values: Int = 10) throws {
        try JSONBounds.check(ByteBuffer(string: text), values: values)
    }

    @Test(arguments: [
        "", "1", "[1,2,3,4,5,6,7,8]", #"{"a":{"b":[1,2,3]}}"#, #"["[[[[[[[[[[[[[[[[[[[[[[[[[,,,,,,,,,,,,,,,,,,,,,,,"]"#,
        #"["\"[,,,,,,,,,,,,,,,,,,\\","\\"]"#,
    ])
    func whatIsLittlePasses(text: String) throws { try check(text) }

    @Test(arguments: ["[1,2,3,4,5,6,7,8,9,0]", "[[],[],[],[],[]]", ",,,,,,,,,,", #"["\\",1,1,1,1,1,1,1,1,1]"#])
    func moreValuesAreRefused(text: String) {
        let problem = #expect(throws: Problem.self) { try check(text) }
        #expect(problem?.status == .contentTooLarge)
    }

    @Test func deeperIsRefused() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        try check(nested(JSONBounds.depth), values: 1_000)
        let problem = #expect(throws: Problem.self) { try check(nested(JSONBounds.depth + 1), values: 1_000) }
        #expect(problem?.status == .badRequest)
    }
}
