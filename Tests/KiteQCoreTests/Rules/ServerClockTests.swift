import Testing

@testable import KiteQCore

@Suite struct ServerClockTests {
    private static let second: MonotonicTime = 1_000_000_000
    private static let start: MonotonicTime = 5_000 * second
    private static let server: Timestamp = 1_800_000_000_000
    private static let hour: Timestamp = 3_600_000
    private static let month: Timestamp = 31 * 86_400_000

    /// So long after the start, of a server and a machine whose clocks are so far ahead of the right time.
    private static func reading(
        after seconds: MonotonicTime = 0, server lead: Timestamp = 0, wall: Timestamp = 0, look: Timestamp = 0
    ) -> ServerClock.Reading {
        let sentAt = start + seconds * second
        let now = server + seconds * 1_000
        return ServerClock.Reading(
            server: now + lead + look / 2, sentAt: sentAt, receivedAt: sentAt + look * 1_000_000,
            wall: now + wall + look)
    }

    @Test(arguments: [0, month, -month, hour, -hour]) func theServersTimeGoesOnWhateverTheWallClockSays(
        _ lead: Timestamp
    ) {
        var clock = ServerClock(Self.reading(wall: lead))
        #expect(clock.now(at: Self.start) == Self.server)
        #expect(clock.now(at: Self.start + 7 * Self.second) == Self.server + 7_000)
        #expect(clock.lead == lead && clock.isApart == (lead != 0) && !clock.hasJumped)
        // Somebody sets the machine's clock while it runs.
        clock.measure(Self.reading(after: 5, wall: -lead))
        #expect(clock.now(at: Self.start + 7 * Self.second) == Self.server + 7_000)
        #expect(clock.lead == -lead && !clock.hasJumped)
        clock.measure(Self.reading(after: 10))
        #expect(clock.incidents(shard: 0).isEmpty)
    }

    @Test(arguments: [month, -month, 2_001, -2_001]) func aJumpThatTheWallClockDoesNotBearOutIsNotFollowed(
        _ jump: Timestamp
    ) {
        var clock = ServerClock(Self.reading())
        for seconds: MonotonicTime in [5, 10, 15] {
            clock.measure(Self.reading(after: seconds, server: jump))
            #expect(clock.hasJumped && clock.jump == jump)
            #expect(clock.now(at: Self.start + seconds * Self.second) == Self.server + seconds * 1_000)
        }
        #expect(clock.incidents(shard: 3).count == 2)
        clock.measure(Self.reading(after: 20))
        #expect(!clock.hasJumped && clock.incidents(shard: 3).isEmpty)
        #expect(clock.now(at: Self.start + 20 * Self.second) == Self.server + 20_000)
    }

    @Test(arguments: [month, -month]) func aJumpThatTheWallClockBearsOutIsFollowed(_ jump: Timestamp) {
        var clock = ServerClock(Self.reading())
        clock.measure(Self.reading(after: 5, server: jump, wall: jump))
        #expect(!clock.hasJumped && !clock.isApart)
        #expect(clock.now(at: Self.start + 5 * Self.second) == Self.server + jump + 5_000)
        // The server's was wrong for long, and is mended: the machine's was right all the time.
        clock.measure(Self.reading(after: 10))
        #expect(clock.now(at: Self.start + 10 * Self.second) == Self.server + 10_000)
    }

    @Test func oneThatWasNotFollowedIsOnceTheWallClockAgrees() {
        var clock = ServerClock(Self.reading())
        clock.measure(Self.reading(after: 5, server: Self.hour))
        #expect(clock.hasJumped)
        clock.measure(Self.reading(after: 10, server: Self.hour, wall: Self.hour))
        #expect(!clock.hasJumped)
        #expect(clock.now(at: Self.start + 10 * Self.second) == Self.server + Self.hour + 10_000)
    }

    @Test func withAWrongWallClockNoJumpIsFollowedEither() {
        var clock = ServerClock(Self.reading(wall: Self.month))
        clock.measure(Self.reading(after: 5, server: Self.hour, wall: Self.month))
        #expect(clock.jump == Self.hour)
        #expect(clock.now(at: Self.start + 5 * Self.second) == Self.server + 5_000)
    }

    @Test(arguments: [2_000, -2_000, 1, -1]) func aClockThatIsSlewedIsFollowed(_ step: Timestamp) {
        var clock = ServerClock(Self.reading())
        clock.measure(Self.reading(after: 5, server: step))
        #expect(!clock.hasJumped)
        #expect(clock.now(at: Self.start + 5 * Self.second) == Self.server + step + 5_000)
    }

    @Test func anAnswerThatTookLongIsNeitherAJumpNorAWrongClock() {
        var clock = ServerClock(Self.reading())
        // The server read its clock at once, and the answer came after 8 s; or the question took them.
        for early in [true, false] {
            var reading = Self.reading(after: 20)
            if early { reading.receivedAt += 8 * Self.second } else { reading.sentAt -= 8 * Self.second }
            if early { reading.wall += 8_000 }
            clock.measure(reading)
            #expect(clock.incidents(shard: 0).isEmpty)
            #expect(clock.now(at: Self.start + 20 * Self.second) == Self.server + 20_000, "the time is not set by it")
        }
    }

    @Test func theMiddleOfAShortLookIsTaken() {
        var clock = ServerClock(Self.reading(look: 600))
        #expect(clock.now(at: Self.start) == Self.server)
        clock.measure(Self.reading(after: 5, look: 20))
        #expect(clock.now(at: Self.start) == Self.server && clock.lead == 0)
    }

    @Test(
        arguments: [
            (0, "0 s"), (499, "0 s"), (119_499, "119 s"), (120_000, "2 min"), (3_599_999, "60 min"),
            (3_600_000, "60 min"),
            (86_399_999, "24 h"), (8 * 86_400_000 - 1, "8 days"), (Timestamp.max, "106751991167 days"),
        ] as [(Timestamp, String)])
    func aTimeForPeopleIsTheNearest(_ time: Timestamp, _ text: String) {
        #expect(ServerClock.span(time) == text)
    }

    @Test func incidentsNameTheShardAndBothClocks() {
        var clock = ServerClock(Self.reading(wall: Self.month))
        #expect(
            clock.incidents(shard: 2) == [
                "this machine's clock is 31 days ahead of that of shard 2's server, by which everything that is stored goes"
            ])
        clock.measure(Self.reading(after: 5, server: -Self.hour, wall: -Self.month))
        let incidents = clock.incidents(shard: 2)
        #expect(incidents.count == 2)
        #expect(incidents[0].contains("shard 2's server has jumped 60 min back"))
        #expect(incidents[1].contains("31 days behind that of shard 2's server"))
    }
}
