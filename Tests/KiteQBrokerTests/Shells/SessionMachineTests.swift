import KiteQWire
import NIOCore
import SeededRandom
import Testing

@testable import KiteQBroker

/// Packets are told apart by their opaque; a client is a number.
@Suite struct SessionMachineTests {
    private func packet(_ opaque: Int32, bytes: Int = 0) -> Packet {
        Packet(
            header: PacketHeader(
                opaque: opaque, command: .heartbeat, version: 0, extension: 0, bodyLength: Int32(bytes)),
            body: ByteBuffer(repeating: 0, count: bytes), framing: .plain)
    }

    private func text(_ step: SessionMachine<Int>.Step) -> String {
        switch step {
        case .greet: "greet"
        case .handle(let client): "handle of \(client)"
        case .held: "held"
        case .tooMuch: "too much"
        case .ignored: "ignored"
        }
    }

    private func opened() -> SessionMachine<Int> {
        var machine = SessionMachine<Int>()
        machine.open(1)
        return machine
    }

    private func opaques(_ packets: [Packet]?) -> [Int32]? { packets?.map(\.header.opaque) }

    @Test("whoever is let in at once is open; the first packet is its greeting")
    func atOnce() {
        var machine = SessionMachine<Int>()
        #expect(machine.isGreeting && machine.client == nil)
        #expect(text(machine.received(packet(1))) == "greet")
        machine.open(7)
        #expect(machine.client == 7 && !machine.isGreeting)
        #expect(text(machine.received(packet(2))) == "handle of 7")
        #expect(machine.heldBeforeItWasOpen().isEmpty)
        machine.open(8)
        #expect(machine.client == 7, "once")
    }

    @Test("what comes before the verdict waits for it, in its order, and no more than its bound")
    func judged() {
        var machine = SessionMachine<Int>()
        machine.judge()
        #expect(machine.isJudging)
        for opaque in 1...3 as ClosedRange<Int32> { #expect(text(machine.received(packet(opaque))) == "held") }
        #expect(machine.judged() == true)
        #expect(machine.heldBeforeItWasOpen().isEmpty, "it is not let in yet")
        machine.open(7)
        #expect(opaques(machine.heldBeforeItWasOpen()) == [1, 2, 3])
        #expect(machine.heldBeforeItWasOpen().isEmpty)

        var flood = SessionMachine<Int>()
        flood.judge()
        let half = SessionMachine<Int>.mostHeldBytes / 2 - SessionMachine<Int>.packetBytes
        #expect(text(flood.received(packet(1, bytes: half))) == "held")
        #expect(text(flood.received(packet(2, bytes: half))) == "held", "the bound itself is taken")
        #expect(text(flood.received(packet(3))) == "too much")
    }

    @Test("one that is refused hears nothing more, whatever it sent, and a verdict that comes later is nobody's")
    func refused() {
        var machine = SessionMachine<Int>()
        machine.judge()
        _ = machine.received(packet(1))
        machine.close()
        let isAwaited = machine.judged()
        #expect(machine.isClosed && !isAwaited)
        machine.open(7)
        #expect(machine.heldBeforeItWasOpen().isEmpty)
        #expect(machine.client == nil)
        #expect(text(machine.received(packet(2))) == "ignored")
    }

    @Test("a greeting that is repeated is judged once at a time, and holds up nothing")
    func again() {
        var machine = opened()
        #expect(machine.greetsAgain() == true)
        #expect(machine.greetsAgain() == false)
        machine.judge()
        #expect(!machine.isJudging)
        #expect(text(machine.received(packet(1))) == "handle of 1")
        #expect(machine.judged() == true)
        machine.judgedAgain()
        #expect(machine.greetsAgain() == true)
    }

    @Test("a publish whose route is sought holds up what comes behind it, and leaves with it")
    func route() {
        var machine = opened()
        #expect(machine.awaitRoute(of: packet(1)) == true)
        #expect(machine.isRouting)
        #expect(machine.awaitRoute(of: packet(9)) == false, "one at a time")
        #expect(text(machine.received(packet(2))) == "held")
        #expect(machine.client == 1)
        #expect(machine.heldBeforeItWasOpen().isEmpty, "a verdict on a repeated greeting is not what they wait for")
        #expect(opaques(machine.routeFound()) == [1, 2])
        #expect(machine.routeFound() == nil)
        #expect(text(machine.received(packet(3))) == "handle of 1")
    }

    @Test("at the end what came behind such a publish counts, it does not, and no other waits")
    func end() {
        var machine = opened()
        #expect(machine.end().isEmpty)
        #expect(text(machine.received(packet(0))) == "handle of 1", "nothing waited: nothing ended")
        _ = machine.awaitRoute(of: packet(1))
        for opaque in 2...3 as ClosedRange<Int32> { _ = machine.received(packet(opaque)) }
        #expect(opaques(machine.end()) == [2, 3])
        #expect(machine.client == 1)
        #expect(text(machine.received(packet(4))) == "handle of 1")
        #expect(machine.awaitRoute(of: packet(4)) == false)
        #expect(machine.routeFound() == nil)
        #expect(machine.end().isEmpty)
        machine.close()
        #expect(machine.client == nil)
    }

    /// Whatever comes in whatever order: nothing that waits is lost or handled twice, and it keeps its order.
    @Test(arguments: 0..<20 as Range<UInt64>) func nothingIsLostOrTurnedRound(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var machine = SessionMachine<Int>()
        var (sent, seen): (Int32, [Int32]) = (0, [])
        func handle(_ packet: Packet, _ machine: inout SessionMachine<Int>) {
            switch machine.received(packet) {
            case .handle:
                if Int.random(in: 0..<8, using: &random) == 0 {
                    #expect(machine.awaitRoute(of: packet) == true)
                } else {
                    seen.append(packet.header.opaque)
                }
            case .held: break
            case .greet, .tooMuch, .ignored: Issue.record("a packet of an open session is handled or waits")
            }
        }
        func goOn(with packets: [Packet], _ machine: inout SessionMachine<Int>) {
            seen += packets.prefix(1).map(\.header.opaque)
            for packet in packets.dropFirst() { handle(packet, &machine) }
        }
        func letIn(_ machine: inout SessionMachine<Int>) {
            #expect(machine.judged() == true)
            machine.open(1)
            for packet in machine.heldBeforeItWasOpen() { handle(packet, &machine) }
        }
        machine.judge()
        for _ in 0..<200 {
            if Int.random(in: 0..<4, using: &random) > 0 {
                sent += 1
                handle(packet(sent), &machine)
            } else if machine.isJudging {
                letIn(&machine)
            } else if let packets = machine.routeFound() {
                goOn(with: packets, &machine)
            }
        }
        if machine.isJudging { letIn(&machine) }
        while let packets = machine.routeFound() { goOn(with: packets, &machine) }
        #expect(sent > 0 && seen == Array(1...sent))
    }
}
