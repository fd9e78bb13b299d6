import Testing

@testable import KiteQCore

@Suite struct TraceParentTests {
    private static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    private static let parent = "00f067aa0ba902b7"

    @Test func theStandardsExampleIsRead() throws {
        let value = try #require(TraceParent("00-\(Self.trace)-\(Self.parent)-01"))
        #expect(value.traceID == Self.trace)
        #expect(value.parentID == Self.parent)
        #expect(value.isSampled)
        #expect(try #require(TraceParent("00-\(Self.trace)-\(Self.parent)-00")).isSampled == false)
    }

    @Test func aLaterVersionMayHaveMore() {
        #expect(TraceParent("01-\(Self.trace)-\(Self.parent)-01")?.traceID == Self.trace)
        #expect(TraceParent("cc-\(Self.trace)-\(Self.parent)-03-what-the-future-holds")?.isSampled == true)
        #expect(TraceParent("cc-\(Self.trace)-\(Self.parent)-03.what") == nil)
    }

    @Test(arguments: [
        "", "00", "00-\(trace)-\(parent)", "00-\(trace)-\(parent)-", "00-\(trace)-\(parent)-0",
        "00-\(trace)-\(parent)-01-more", "ff-\(trace)-\(parent)-01", "0x-\(trace)-\(parent)-01",
        "00-\(trace.uppercased())-\(parent)-01", "00-\(trace)-\(parent.uppercased())-01", "00-\(trace)-\(parent)-0G",
        "00-00000000000000000000000000000000-\(parent)-01", "00-\(trace)-0000000000000000-01",
        "00_\(trace)_\(parent)_01", " 00-\(trace)-\(parent)-01", "00-\(trace)-\(parent)-01\n",
        "00-\(trace)-00f067aa0ba902é-01",
    ])
    func anythingElseIsNone(_ text: String) {
        #expect(TraceParent(text) == nil)
    }
}
