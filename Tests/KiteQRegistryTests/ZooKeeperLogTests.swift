import KiteQCore
import Logging
import Testing

@testable import KiteQRegistry

@Suite struct ZooKeeperLogTests {
    @Test func dropsWhatTheLoggerSays() {
        let line = "2026-01-01 00:00:00,123:1(0x7f):ZOO_ERROR@handle_socket_error_msg@2440: Socket [1] retcode=-4\n"
        #expect(ZooKeeperLog.parse(line) == (.debug, "handle_socket_error_msg@2440: Socket [1] retcode=-4"))
        #expect(ZooKeeperLog.parse("something else") == (.debug, "something else"))
    }

    @Test func aThrottleCountsWhatItDrops() {
        var throttle = LogThrottle(limit: 2, per: .seconds(10))
        let start = ContinuousClock.now
        let admitted = [0, 0, 1, 9, 10, 10, 11].map { throttle.admit(now: start + .seconds($0)) }
        #expect(admitted == [0, 0, nil, nil, 2, 0, nil])
    }

    @Test func pausesDoubleToTheirMaximum() {
        var backoff = Backoff(initial: .seconds(1), maximum: .seconds(5))
        for expected in [1, 2, 4, 5, 5] {
            let pause = backoff.next()
            #expect(pause >= .seconds(expected) / 2 && pause <= .seconds(expected))
        }
        backoff.reset()
        let pause = backoff.next()
        #expect(pause <= .seconds(1))
    }
}
