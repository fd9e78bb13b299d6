import Testing

@testable import KiteQBroker

@Suite struct ReadingGateTests {
    @Test("what is the broker's doing stops the socket and the deadlines until the last reason is gone")
    func brokersDoing() {
        var gate = ReadingGate()
        #expect(gate.change(hasDeadlines: true) == .init())
        gate.set(.route, true)
        gate.set(.room, true)
        #expect(gate.change(hasDeadlines: true) == .init(deadlinesRun: false, isPaused: true, isRead: false))
        #expect(gate.change(hasDeadlines: true) == .init())
        gate.set(.route, false)
        #expect(gate.change(hasDeadlines: true) == .init())
        #expect(gate.isPaused)
        gate.set(.room, false)
        #expect(gate.change(hasDeadlines: true) == .init(deadlinesRun: true, isPaused: false, isRead: true))
    }

    @Test("the deadlines of a client that does not take its answers run on")
    func answers() {
        var gate = ReadingGate()
        gate.set(.answers, true)
        #expect(gate.change(hasDeadlines: true) == .init(isPaused: true, isRead: false))
        #expect(gate.isHeld(by: .answers) && !gate.isHeld(by: .publishes))
        gate.set(.publishes, true)
        #expect(gate.change(hasDeadlines: true) == .init(deadlinesRun: false))
        gate.set(.answers, false)
        #expect(gate.change(hasDeadlines: true) == .init(), "the store keeps it from being read")
        gate.set(.publishes, false)
        #expect(gate.change(hasDeadlines: true) == .init(deadlinesRun: true, isPaused: false, isRead: true))
    }

    @Test("before it is let in nothing is read, and the clocks of the handshake run")
    func verdict() {
        var gate = ReadingGate()
        gate.set(.verdict, true)
        #expect(gate.change(hasDeadlines: false) == .init(isRead: false))
        #expect(!gate.isPaused)
        // It is let in, and the first that it sent has to wait.
        gate.set(.verdict, false)
        gate.set(.route, true)
        #expect(gate.change(hasDeadlines: false) == .init(isPaused: true), "it was not read, and is not")
        // One with deliveries is told of it once it is there.
        #expect(gate.change(hasDeadlines: true) == .init(deadlinesRun: false))
    }

    @Test("an amount above its bound stops reading until half of it is free", arguments: [0, 1, 10, 1_000])
    func amounts(bound: Int) {
        var gate = ReadingGate()
        gate.set(.publishes, bound, of: bound)
        #expect(!gate.isPaused)
        gate.set(.publishes, bound + 1, of: bound)
        #expect(gate.isPaused)
        gate.set(.publishes, bound / 2 + 1, of: bound)
        #expect(gate.isPaused, "not yet")
        gate.set(.publishes, bound / 2, of: bound)
        #expect(!gate.isPaused)
    }
}
