import Testing

@testable import MariaDB

/// What the pool does when its server is not what it was.
extension PoolStateMachineTests {
    @Test("meeting another server ends the connections to the first")
    func failover() {
        var machine = machine(idle: 3, max: 4)
        #expect(machine.acquire(10, now: 1) == [.give(3, to: 10, isStale: false)])
        for waiter in 11...12 { _ = machine.acquire(waiter, now: 1) }
        #expect(machine.acquire(13, now: 1) == [.connect(4, after: 0)])
        _ = machine.release(1, isBroken: false, now: 1)
        // 1 had a waiter; 2 and 3 are busy; 4 meets "b".
        _ = machine.cancel(13)
        #expect(machine.connected(4, identity: "b", now: 2).isEmpty)
        #expect(machine.connections[2]?.state == .leaving && machine.connections[3]?.state == .leaving)
        #expect(machine.release(3, isBroken: false, now: 3) == [.close(3)])
        #expect(machine.release(2, isBroken: false, now: 3) == [.close(2)])
        #expect(machine.acquire(20, now: 4) == [.give(4, to: 20, isStale: false)])
        // Another one to the same server changes nothing.
        #expect(machine.connections[4]?.state == .busy)
    }

    @Test("idle connections to the first server close when another is met")
    func failoverIdle() {
        var machine = machine(idle: 2, max: 3)
        for waiter in 10...12 { _ = machine.acquire(waiter, now: 1) }
        for id in 1...2 { _ = machine.release(id, isBroken: false, now: 2) }
        // Waiter 12 got one of those; 3 is being made for it still.
        #expect(machine.connections[3]?.state == .connecting)
        let idle = machine.idleCount
        let closed = machine.connected(3, identity: "b", now: 3)
        #expect(closed == (1...2).suffix(idle).filter { machine.connections[$0] == nil }.map { .close($0) })
        #expect(machine.connections.values.allSatisfy { $0.identity == "b" || $0.state == .leaving })
    }

    @Test("a server that refuses to write is looked away from: one new connection at a time, each later than the last")
    func readOnly() {
        var machine = machine(idle: 3)
        #expect(machine.acquire(9, now: 1) == [.give(3, to: 9, isStale: false)])
        // Others are idle, and to the same server: a new one is made all the same.
        #expect(machine.releaseFromReadOnly(3, now: 1) == [.close(3), .connect(4, after: 0)])
        #expect(machine.acquire(10, now: 2) == [.give(2, to: 10, isStale: false)])
        #expect(machine.releaseFromReadOnly(2, now: 2).isEmpty)
        #expect(machine.connected(4, identity: "a", now: 3).isEmpty)
        // The pause was 10, then it is 20.
        #expect(machine.acquire(11, now: 11) == [.give(4, to: 11, isStale: false)])
        #expect(machine.releaseFromReadOnly(4, now: 11) == [.close(4), .connect(5, after: 0)])
        #expect(machine.connected(5, identity: "a", now: 12).isEmpty)
        #expect(machine.acquire(12, now: 30) == [.give(5, to: 12, isStale: false)])
        #expect(machine.releaseFromReadOnly(5, now: 30).isEmpty)
        #expect(machine.acquire(13, now: 31) == [.give(5, to: 13, isStale: false)])
        #expect(machine.releaseFromReadOnly(5, now: 31) == [.close(5), .connect(6, after: 0)])
        // It meets one that takes writes: the others leave.
        #expect(machine.acquire(14, now: 32) == [.give(2, to: 14, isStale: false)])
        #expect(machine.connected(6, identity: "b", now: 33) == [.close(1)])
        // What the old one says is nothing about the new one.
        #expect(machine.releaseFromReadOnly(2, now: 1_000) == [.close(2)])
        #expect(machine.acquire(15, now: 1_000) == [.give(6, to: 15, isStale: false)])
        // After a long peace the pauses begin with the least again.
        #expect(machine.releaseFromReadOnly(6, now: 1_000) == [.close(6), .connect(7, after: 0)])
        _ = machine.connected(7, identity: "b", now: 1_001)
        #expect(machine.acquire(16, now: 1_010) == [.give(7, to: 16, isStale: false)])
        #expect(machine.releaseFromReadOnly(7, now: 1_010) == [.close(7), .connect(8, after: 0)])
    }

    @Test("where only replicas answer, open connections stay; without one nobody waits")
    func replica() {
        var machine = machine(idle: 1)
        #expect(machine.acquire(9, now: 1) == [.give(1, to: 9, isStale: false)])
        #expect(machine.acquire(10, now: 1) == [.connect(2, after: 0)])
        #expect(machine.connectFailed(2, .readOnly, now: 2) == [.fail(waiter: 10, .readOnly)])
        #expect(machine.acquire(11, now: 3) == [.fail(waiter: 11, .readOnly)])
        #expect(machine.release(1, isBroken: false, now: 4).isEmpty)
        #expect(machine.acquire(12, now: 5) == [.give(1, to: 12, isStale: false)])
        #expect(machine.release(1, isBroken: true, now: 6) == [.close(1)])
        #expect(machine.acquire(13, now: 7) == [.fail(waiter: 13, .readOnly)])
        #expect(machine.acquire(14, now: 12) == [.connect(3, after: 0)])
        #expect(machine.connected(3, identity: "b", now: 13) == [.give(3, to: 14, isStale: false)])
        #expect(machine.acquire(15, now: 14) == [.connect(4, after: 0)])
    }

    @Test("a server that was demoted is left whole: idle connections at once, busy ones when they come back")
    func demoted() {
        var machine = machine(idle: 3)
        #expect(machine.acquire(9, now: 1) == [.give(3, to: 9, isStale: false)])
        #expect(machine.leaveServer(now: 2) == [.close(1), .close(2)])
        #expect(machine.connections[3]?.state == .leaving)
        #expect(machine.acquire(10, now: 3) == [.connect(4, after: 0)])
        #expect(machine.release(3, isBroken: false, now: 4) == [.close(3)])
        #expect(machine.connectFailed(4, .readOnly, now: 5) == [.fail(waiter: 10, .readOnly)])
        #expect(machine.acquire(11, now: 6) == [.fail(waiter: 11, .readOnly)])
    }

    @Test("what is under way where it was left has the patience, then it is cut, once")
    func cut() {
        var machine = machine(idle: 2)
        for waiter in 10...11 { _ = machine.acquire(waiter, now: 1) }
        #expect(machine.use("b", now: 10).isEmpty)
        #expect(machine.tick(now: 59).isEmpty)
        #expect(machine.release(2, isBroken: false, now: 59) == [.close(2)])
        #expect(machine.use("b", now: 59).isEmpty, "it was said before")
        #expect(machine.tick(now: 60) == [.cut(1)])
        #expect(machine.tick(now: 120).isEmpty)
        #expect(machine.acquire(12, now: 120) == [.connect(3, after: 0)])
        #expect(machine.connected(3, identity: "b", now: 121) == [.give(3, to: 12, isStale: false)])
        #expect(machine.release(3, isBroken: false, now: 122).isEmpty)
        // It came back broken: that says nothing of those that lead elsewhere.
        #expect(machine.release(1, isBroken: true, now: 123) == [.close(1)])
        #expect(machine.acquire(13, now: 123) == [.give(3, to: 13, isStale: false)])
    }

    @Test("what is under way at a server that does not answer is cut as soon as another one is used")
    func cutAtOnce() {
        var machine = machine(idle: 2)
        for waiter in 10...11 { _ = machine.acquire(waiter, now: 1) }
        #expect(machine.use("b", isPatient: false, now: 10) == [.cut(1), .cut(2)])
        #expect(machine.tick(now: 60).isEmpty)
        #expect(machine.release(1, isBroken: true, now: 61) == [.close(1)])
        // It is said after the patience was promised: that holds.
        var promised = self.machine(idle: 1)
        _ = promised.acquire(10, now: 1)
        #expect(promised.use("b", now: 2).isEmpty)
        #expect(promised.use("b", isPatient: false, now: 3).isEmpty)
        #expect(promised.tick(now: 52) == [.cut(1)])
    }

    @Test("the clock is looked at when something becomes suspicious, and often where somebody waits")
    func rests() {
        let millisecond: Int64 = 1_000_000
        var machine = machine { $0.suspicion = 1_000 * millisecond }
        #expect(machine.rest(now: 0) == 500 * millisecond)
        #expect(machine.acquire(1, now: 0) == [.connect(1, after: 0)])
        #expect(machine.rest(now: 0) == 100 * millisecond)
        _ = machine.connected(1, identity: "a", now: 0)
        #expect(machine.rest(now: 400 * millisecond) == 500 * millisecond)
        #expect(machine.rest(now: 700 * millisecond) == 300 * millisecond)
        #expect(machine.rest(now: 999 * millisecond) == 100 * millisecond)
        #expect(machine.rest(now: 9_000 * millisecond) == 100 * millisecond, "it is told of again")
        _ = machine.release(1, isBroken: false, now: 9_000 * millisecond)
        #expect(machine.rest(now: 9_000 * millisecond) == 500 * millisecond)
    }

    @Test("what is under way is not cut where the server was only found, nor where it is used again")
    func notCut() {
        var found = machine(idle: 1)
        _ = found.acquire(10, now: 1)
        #expect(found.met("b", now: 2).isEmpty)
        #expect(found.tick(now: 200).isEmpty)
        #expect(found.use("b", now: 200).isEmpty)
        #expect(found.tick(now: 250) == [.cut(1)], "now it was chosen")
        var back = machine(idle: 1)
        _ = back.acquire(10, now: 1)
        _ = back.use("b", now: 2)
        _ = back.use("a", now: 3)
        #expect(back.tick(now: 200).isEmpty)
    }

    @Test("an attempt to reach the server that was left takes nobody's place, and its failure is none of the other's")
    func late() {
        var machine = machine(max: 1)
        #expect(machine.acquire(10, now: 0) == [.connect(1, after: 0)])
        #expect(machine.use("a", now: 4).isEmpty, "it may lead there")
        #expect(machine.use("b", now: 5) == [.connect(2, after: 0)])
        #expect(machine.connected(2, identity: "b", now: 6) == [.give(2, to: 10, isStale: false)])
        #expect(machine.connectFailed(1, .refused, now: 7).isEmpty)
        #expect(machine.acquire(11, now: 8).isEmpty, "it waits for 2")
        #expect(machine.release(2, isBroken: false, now: 9) == [.give(2, to: 11, isStale: false)])
        // One that leads to the right server after all is one too many.
        var proxied = self.machine(max: 1)
        _ = proxied.use("a", now: 0)
        #expect(proxied.acquire(10, now: 0) == [.connect(1, after: 0)])
        #expect(proxied.use("b", now: 5) == [.connect(2, after: 0)])
        #expect(proxied.connected(1, identity: "b", now: 6) == [.close(1)])
    }

    @Test("where one broke, those that were idle then are asked first")
    func suspects() {
        var machine = machine(idle: 3)
        #expect(machine.acquire(8, now: 1) == [.give(3, to: 8, isStale: false)])
        #expect(machine.acquire(9, now: 1) == [.give(2, to: 9, isStale: false)])
        #expect(machine.release(3, isBroken: true, now: 2) == [.close(3)])
        #expect(machine.release(2, isBroken: false, now: 3).isEmpty)
        #expect(machine.acquire(10, now: 4) == [.give(2, to: 10, isStale: false)])
        #expect(machine.acquire(11, now: 4) == [.give(1, to: 11, isStale: true)])
    }

    @Test("one that comes again has the time that it had left, and its place")
    func comesAgain() {
        var machine = machine(max: 1)
        #expect(machine.acquire(1, now: 0) == [.connect(1, after: 0)])
        #expect(machine.acquire(2, until: 90, now: 10).isEmpty)
        #expect(machine.acquire(3, until: 10, now: 10) == [.fail(waiter: 3, .timedOut)])
        #expect(machine.tick(now: 90) == [.fail(waiter: 2, .timedOut)])
        #expect(machine.acquire(4, now: 91).isEmpty)
        #expect(machine.acquire(5, until: 150, now: 92).isEmpty)
        #expect(machine.connected(1, identity: "a", now: 93) == [.give(1, to: 1, isStale: false)])
        #expect(machine.release(1, isBroken: false, now: 94) == [.give(1, to: 5, isStale: false)])
    }
}
