import SeededRandom
import Testing

@testable import MariaDB

/// Times are in nanoseconds that mean nothing; actions are compared.
@Suite struct PoolStateMachineTests {
    func machine(
        max: Int = 3, min: Int = 0, waiters: Int = 10, change: (inout PoolStateMachine.Limits) -> Void = { _ in }
    ) -> PoolStateMachine {
        var limits = PoolStateMachine.Limits(
            maxConnections: max, minConnections: min, maxWaiters: waiters, waitTimeout: 100, idleCheck: 1_000,
            idleTimeout: 2_000, maxLifetime: 10_000, minBackoff: 10, maxBackoff: 60,
            maxRefusedBackoff: 200, patience: 50, suspicion: 40)
        change(&limits)
        return PoolStateMachine(limits)
    }

    /// A machine with idle connections 1, 2, … of server "a", made at 0.
    func machine(idle: Int, max: Int = 3, min: Int = 0) -> PoolStateMachine {
        var machine = machine(max: max, min: min)
        for waiter in 1...idle { _ = machine.acquire(waiter, now: 0) }
        for id in 1...idle { _ = machine.connected(id, identity: "a", now: 0) }
        for id in 1...idle { _ = machine.release(id, isBroken: false, now: 0) }
        #expect(machine.idleCount == idle)
        return machine
    }

    @Test("the first caller has a connection made, and gets it")
    func first() {
        var machine = machine()
        #expect(machine.acquire(7, now: 0) == [.connect(1, after: 0)])
        #expect(machine.waiting == 1)
        #expect(machine.connected(1, identity: "a", now: 5) == [.give(1, to: 7, isStale: false)])
        #expect(machine.waiting == 0 && machine.idleCount == 0)
        #expect(machine.release(1, isBroken: false, now: 6).isEmpty)
        #expect(machine.idleCount == 1)
        #expect(machine.acquire(8, now: 7) == [.give(1, to: 8, isStale: false)])
    }

    @Test("one connection a caller, to the limit; callers get them in their order")
    func order() {
        var machine = machine(max: 2)
        #expect(machine.acquire(1, now: 0) == [.connect(1, after: 0)])
        #expect(machine.acquire(2, now: 0) == [.connect(2, after: 0)])
        #expect(machine.acquire(3, now: 0).isEmpty)
        #expect(machine.connected(2, identity: "a", now: 1) == [.give(2, to: 1, isStale: false)])
        #expect(machine.release(2, isBroken: false, now: 2) == [.give(2, to: 2, isStale: false)])
        #expect(machine.connected(1, identity: "a", now: 3) == [.give(1, to: 3, isStale: false)])
        #expect(machine.waiting == 0)
    }

    @Test("the connection used last is used first, so that the others may go")
    func lastInFirstOut() {
        var machine = machine(idle: 3)
        #expect(machine.acquire(9, now: 1) == [.give(3, to: 9, isStale: false)])
        #expect(machine.release(3, isBroken: false, now: 2).isEmpty)
        #expect(machine.acquire(10, now: 3) == [.give(3, to: 10, isStale: false)])
    }

    @Test("what is under way for long may hang, and what is idle for long does not")
    func suspicion() {
        var machine = machine(idle: 2)
        #expect(!machine.mayHang(now: 500))
        _ = machine.acquire(9, now: 500)
        #expect(!machine.mayHang(now: 539) && machine.mayHang(now: 540))
        _ = machine.release(2, isBroken: false, now: 600)
        #expect(!machine.mayHang(now: 900))
    }

    @Test("one idle for long is to be asked first")
    func stale() {
        var machine = machine(idle: 2)
        #expect(machine.acquire(9, now: 999) == [.give(2, to: 9, isStale: false)])
        #expect(machine.acquire(10, now: 1_000) == [.give(1, to: 10, isStale: true)])
    }

    @Test("a caller past its time fails, the others stay; one too many fails at once")
    func limits() {
        var machine = machine(max: 1, waiters: 2)
        #expect(machine.acquire(1, now: 0) == [.connect(1, after: 0)])
        #expect(machine.acquire(2, now: 50).isEmpty)
        #expect(machine.acquire(3, now: 60) == [.fail(waiter: 3, .tooManyWaiters)])
        #expect(machine.tick(now: 99).isEmpty)
        #expect(machine.tick(now: 100) == [.fail(waiter: 1, .timedOut)])
        #expect(machine.tick(now: 149).isEmpty)
        #expect(machine.connected(1, identity: "a", now: 149) == [.give(1, to: 2, isStale: false)])
        #expect(machine.tick(now: 150).isEmpty)
    }

    @Test("a cancelled caller leaves the queue; one that is served or unknown is not there")
    func cancel() {
        var machine = machine(max: 1)
        _ = machine.acquire(1, now: 0)
        _ = machine.acquire(2, now: 0)
        #expect(machine.cancel(1) == [.fail(waiter: 1, .cancelled)])
        #expect(machine.cancel(1).isEmpty)
        #expect(machine.connected(1, identity: "a", now: 1) == [.give(1, to: 2, isStale: false)])
        #expect(machine.cancel(2).isEmpty)
        #expect(machine.cancel(99).isEmpty)
    }

    @Test("after failures one attempt at a time, each later than the last, to a bound")
    func backoff() {
        var machine = machine()
        _ = machine.acquire(1, now: 0)
        _ = machine.acquire(2, now: 0)
        // Two are being made, both fail: one is tried again.
        #expect(machine.connectFailed(1, now: 5).isEmpty)
        #expect(machine.connectFailed(2, now: 5) == [.connect(3, after: 20)])
        #expect(machine.connectFailed(3, now: 25) == [.connect(4, after: 40)])
        #expect(machine.connectFailed(4, now: 65) == [.connect(5, after: 60)])
        #expect(machine.tick(now: 99).isEmpty)
        #expect(machine.connectFailed(5, now: 99) == [.connect(6, after: 60)])
        // It is back: the next caller waits for nothing.
        #expect(
            machine.connected(6, identity: "a", now: 99) == [.give(6, to: 1, isStale: false), .connect(7, after: 0)])
    }

    @Test("where the configuration is at fault and nothing is open, those that wait are told at once")
    func refused() {
        var machine = machine()
        _ = machine.acquire(1, now: 0)
        _ = machine.acquire(2, now: 0)
        #expect(
            machine.connectFailed(1, .refused, now: 5) == [
                .fail(waiter: 1, .refused), .fail(waiter: 2, .refused),
            ])
        #expect(machine.waiting == 0)
        #expect(machine.connectFailed(2, .refused, now: 5).isEmpty)
        // Those that come before the next attempt are told at once, too.
        #expect(machine.acquire(3, now: 64) == [.fail(waiter: 3, .refused)])
        #expect(machine.acquire(4, now: 65) == [.connect(3, after: 0)])
        // With one open it only waits for that.
        var other = self.machine(idle: 1)
        _ = other.acquire(8, now: 1)
        #expect(other.acquire(9, now: 1) == [.connect(2, after: 0)])
        #expect(other.connectFailed(2, .refused, now: 2) == [.connect(3, after: 30)])
        #expect(other.waiting == 1)
    }

    @Test("who is refused waits longer and longer, and no longer once it is let in")
    func refusedBackoff() {
        var machine = machine(min: 1)
        #expect(machine.tick(now: 0) == [.connect(1, after: 0)])
        for (id, pause) in [30, 60, 120, 200, 200].enumerated() {
            #expect(machine.connectFailed(id + 1, .refused, now: 0) == [.connect(id + 2, after: Int64(pause))])
        }
        #expect(machine.connected(6, identity: "a", now: 500).isEmpty)
        #expect(machine.acquire(1, now: 501) == [.give(6, to: 1, isStale: false)])
        #expect(machine.release(6, isBroken: true, now: 502) == [.close(6), .connect(7, after: 0)])
        // A server that is not there is another matter.
        #expect(machine.connectFailed(7, now: 503) == [.connect(8, after: 10)])
    }

    @Test("many failures do not overflow")
    func manyFailures() {
        var machine = machine { $0.maxBackoff = .max }
        _ = machine.acquire(1, now: 0)
        for id in 1...100 {
            let next = machine.connectFailed(id, now: 0)
            guard case .connect(id + 1, let after) = next.first else {
                Issue.record("no attempt after failure \(id): \(next)")
                return
            }
            #expect(after >= 10)
        }
    }

    @Test("a broken connection goes, and is replaced where somebody waits")
    func broken() {
        var machine = machine(max: 1)
        _ = machine.acquire(1, now: 0)
        _ = machine.connected(1, identity: "a", now: 0)
        _ = machine.acquire(2, now: 0)
        #expect(machine.release(1, isBroken: true, now: 1) == [.close(1), .connect(2, after: 0)])
        #expect(machine.connected(2, identity: "a", now: 2) == [.give(2, to: 2, isStale: false)])
        #expect(machine.release(2, isBroken: true, now: 3) == [.close(2)])
        #expect(machine.connections.isEmpty)
        #expect(machine.release(2, isBroken: false, now: 4).isEmpty)
    }

    @Test("a connection past its life time goes when it comes back, or when it is idle")
    func lifetime() {
        var machine = machine(idle: 2)
        _ = machine.acquire(9, now: 500)
        #expect(machine.tick(now: 1_999).isEmpty)
        #expect(machine.release(2, isBroken: false, now: 9_999).isEmpty)
        #expect(machine.tick(now: 10_000) == [.close(1), .close(2)])
        var busy = self.machine(idle: 1)
        _ = busy.acquire(9, now: 9_999)
        #expect(busy.release(1, isBroken: false, now: 10_000) == [.close(1)])
    }

    @Test("idle connections go, oldest first; those of the least number are made anew")
    func idleTimeout() {
        var machine = machine(idle: 3, min: 1)
        _ = machine.acquire(9, now: 100)
        _ = machine.release(3, isBroken: false, now: 100)
        #expect(machine.tick(now: 1_999).isEmpty)
        #expect(machine.tick(now: 2_000) == [.close(1), .close(2)])
        #expect(machine.tick(now: 2_099).isEmpty)
        #expect(machine.idleCount == 1)
        #expect(machine.tick(now: 2_100) == [.close(3), .connect(4, after: 0)])
    }

    @Test("the least number is made without callers, and again when some are lost")
    func minimum() {
        var machine = machine(min: 2)
        #expect(machine.tick(now: 0) == [.connect(1, after: 0), .connect(2, after: 0)])
        #expect(machine.tick(now: 1).isEmpty)
        #expect(machine.connected(1, identity: "a", now: 2).isEmpty)
        #expect(machine.connected(2, identity: "a", now: 2).isEmpty)
        #expect(machine.tick(now: 3).isEmpty)
        #expect(machine.acquire(1, now: 4) == [.give(2, to: 1, isStale: false)])
        #expect(machine.release(2, isBroken: true, now: 5) == [.close(2), .connect(3, after: 0)])
        #expect(machine.connectFailed(3, now: 6) == [.connect(4, after: 10)])
    }

    @Test("a closed pool serves nobody, and closes each connection when it can")
    func close() {
        var machine = machine(idle: 2, max: 3)
        _ = machine.acquire(10, now: 1)
        _ = machine.acquire(11, now: 1)
        _ = machine.acquire(12, now: 1)
        _ = machine.release(1, isBroken: false, now: 1)
        _ = machine.acquire(13, now: 1)
        _ = machine.acquire(14, now: 1)
        let actions = machine.close()
        #expect(actions.contains(.fail(waiter: 14, .closed)))
        #expect(machine.isClosed && machine.waiting == 0 && machine.idleCount == 0)
        #expect(machine.acquire(20, now: 2) == [.fail(waiter: 20, .closed)])
        #expect(machine.tick(now: 200).isEmpty)
        #expect(machine.connected(3, identity: "a", now: 3) == [.close(3)])
        for id in 1...2 where machine.connections[id] != nil {
            #expect(machine.release(id, isBroken: false, now: 3) == [.close(id)])
        }
        #expect(machine.connections.isEmpty)
        var failing = self.machine()
        _ = failing.acquire(1, now: 0)
        #expect(failing.close() == [.fail(waiter: 1, .closed)])
        #expect(failing.connectFailed(1, now: 1).isEmpty)
        #expect(failing.connections.isEmpty)
    }

    @Test(
        "whatever comes: the bounds hold, each caller is answered once, each connection closed once", arguments: 0..<200
    )
    func random(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var machine = machine(max: 3, min: Int(seed % 3), waiters: 4)
        var now: Int64 = 0
        var nextWaiter = 0
        var connecting: Set<Int> = []
        var busy: [Int: Int] = [:]
        var open: Set<Int> = []
        var cut: Set<Int> = []
        var waiting: Set<Int> = []

        func carryOut(_ actions: [PoolStateMachine.Action]) {
            for action in actions {
                switch action {
                case .connect(let id, let after):
                    #expect(after >= 0 && after <= 200)
                    #expect(connecting.insert(id).inserted && !open.contains(id))
                case .give(let id, let waiter, _):
                    #expect(waiting.remove(waiter) != nil)
                    #expect(open.contains(id) && busy[id] == nil)
                    busy[id] = waiter
                case .fail(let waiter, _): #expect(waiting.remove(waiter) != nil)
                case .close(let id):
                    #expect(open.remove(id) != nil)
                    #expect(busy[id] == nil)
                    cut.remove(id)
                case .cut(let id): #expect(busy[id] != nil && cut.insert(id).inserted)
                }
            }
            #expect(machine.connections.count == connecting.count + open.count)
            #expect(machine.connections.values.count { $0.state != .late } <= 3)
            #expect(machine.waiting == waiting.count && waiting.count <= 4)
            // Nobody waits beside an idle connection.
            #expect(machine.waiting == 0 || machine.idleCount == 0)
            #expect(machine.idleCount + busy.count == open.count)
        }

        for step in 0..<400 {
            now += Int64.random(in: 0...40, using: &random)
            switch Int.random(in: 0..<13, using: &random) {
            case 0...3:
                nextWaiter += 1
                waiting.insert(nextWaiter)
                carryOut(machine.acquire(nextWaiter, now: now))
            case 4:
                if let waiter = waiting.sorted().randomElement(using: &random) { carryOut(machine.cancel(waiter)) }
            case 5...6:
                guard let id = connecting.sorted().randomElement(using: &random) else { continue }
                connecting.remove(id)
                if Bool.random(using: &random) {
                    open.insert(id)
                    let identity = Int.random(in: 0..<10, using: &random) == 0 ? "b" : "a"
                    carryOut(machine.connected(id, identity: identity, now: now))
                } else {
                    let reasons: [PoolStateMachine.Reason?] = [nil, nil, .refused, .readOnly]
                    carryOut(machine.connectFailed(id, reasons.randomElement(using: &random) ?? nil, now: now))
                }
            case 7...9:
                guard let id = busy.keys.sorted().randomElement(using: &random) else { continue }
                busy[id] = nil
                switch Int.random(in: 0..<8, using: &random) {
                case 0...1: carryOut(machine.release(id, isBroken: true, now: now))
                case 2: carryOut(machine.releaseFromReadOnly(id, now: now))
                default: carryOut(machine.release(id, isBroken: false, now: now))
                }
            case 10:
                let server = Bool.random(using: &random) ? "a" : "b"
                carryOut(
                    Bool.random(using: &random) ? machine.use(server, now: now) : machine.met(server, now: now))
            case 11: carryOut(Bool.random(using: &random) ? machine.tick(now: now) : machine.leaveServer(now: now))
            default: if step > 380 { carryOut(machine.close()) }
            }
        }
        carryOut(machine.close())
        for id in busy.keys.sorted() {
            busy[id] = nil
            carryOut(machine.release(id, isBroken: false, now: now))
        }
        for id in connecting.sorted() {
            connecting.remove(id)
            open.insert(id)
            carryOut(machine.connected(id, identity: "a", now: now))
        }
        #expect(machine.connections.isEmpty && open.isEmpty && waiting.isEmpty)
    }
}
