import Testing

@testable import KiteQBroker

@Suite struct BodySampleTests {
    private func sample(_ bytes: [UInt8]) -> UInt64 { bytes.withUnsafeBytes(BodySample.of) }

    /// Of bodies of every length around the steps that they are read in.
    @Test func eachByteAndTheLengthTell() {
        for count in Array(0...70) + [1_023, 1_024] {
            let body = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            let whole = sample(body)
            #expect(sample(body) == whole)
            #expect(sample(body + [0]) != whole)
            for index in body.indices {
                var other = body
                other[index] ^= 1
                #expect(sample(other) != whole, "\(index) of \(count)")
            }
        }
    }

    @Test func wordsThatChangePlacesTell() {
        let body = (0..<64).map { UInt8($0) }
        #expect(sample(Array(body[8...] + body[..<8])) != sample(body))
        #expect(sample(Array(body[32...] + body[..<32])) != sample(body))
    }

    @Test func ofALongOneTheEndsTell() {
        let body = [UInt8](repeating: 1, count: 100_000)
        for index in [0, 511, 99_488, 99_999] {
            var other = body
            other[index] = 2
            #expect(sample(other) != sample(body), "\(index)")
        }
        #expect(sample(Array(body.dropLast())) != sample(body))
    }
}
