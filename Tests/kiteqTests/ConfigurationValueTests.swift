import Testing

@testable import kiteq

@Suite struct ConfigurationValueTests {
    @Test(arguments: [
        ("250ms", Duration.milliseconds(250)), ("5s", .seconds(5)), ("90s", .seconds(90)), ("10m", .seconds(600)),
        ("12h", .seconds(43_200)), ("30d", .seconds(2_592_000)), ("0s", .zero),
    ])
    func durationsAreReadAndWritten(text: String, duration: Duration) {
        #expect(DurationText.parse(text) == duration)
        #expect(DurationText.parse(DurationText.write(duration)) == duration)
    }

    @Test(arguments: ["", "5", "s", "5 s", "-5s", "1.5s", "5sec", "99999999999999999999s", "40000d", "٣s"])
    func otherDurationsAreRefused(text: String) {
        #expect(DurationText.parse(text) == nil)
    }

    @Test func aDurationIsWrittenInItsLargestUnit() {
        #expect(DurationText.write(.seconds(120)) == "2m")
        #expect(DurationText.write(.seconds(121)) == "121s")
        #expect(DurationText.write(.milliseconds(1_500)) == "1500ms")
    }

    @Test(arguments: [("0", 0), ("17", 17), ("17B", 17), ("2KiB", 2_048), ("8MiB", 8 << 20), ("3GiB", 3 << 30)])
    func sizesAreReadAndWritten(text: String, bytes: Int) throws {
        let size = try #require(ByteSize(text))
        #expect(size.bytes == bytes)
        #expect(ByteSize(size.description)?.bytes == bytes)
    }

    @Test(arguments: ["", "MiB", "1MB", "1.5MiB", "-1", "99999999999999GiB", " 1"])
    func otherSizesAreRefused(text: String) {
        #expect(ByteSize(text) == nil)
    }
}
