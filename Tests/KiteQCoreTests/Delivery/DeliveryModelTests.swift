import SeededRandom
import Testing

@testable import KiteQCore

/// Random interleavings of all that happens to the machine of one broker, against a model of its store: inserts that are reported
/// late, writes that are repeated, pages that are read long before they arrive. No process dies and nothing times out, so a
/// group gets nothing again that it has acknowledged.
@Suite struct DeliveryModelTests {
    private struct World {
        private static var patient: TopicCatalog {
            var settings = TopicSettings()
            settings.answerTime = 1 << 60
            return TopicCatalog(defaults: settings)
        }

        let groups = ["a", "b", "c", "d"]
        var h = DeliveryHarness(catalog: Self.patient) {
            $0.queueLength = 20
            $0.window = 6
            $0.pageRows = 5
            $0.memoryBytes = 12_000
            $0.unflushed = 25
            $0.pull.visibility = (1 << 60)...(1 << 60)
            $0.pull.lingering = 4_000_000_000
        }
        var store = StoreModel()
        var random: SplitMix64
        var clients: [DeliveryClientID: String] = [:]
        /// Those of the clients that are pulls.
        var pulls: Set<DeliveryClientID> = []
        var outstanding: [DeliveryActions.Delivery] = []
        var unreported: [(seq: Int64, message: Message, route: Route)] = []
        var unwritten: [Settlement] = []
        /// Written, and the reply is on its way.
        var written: [Settlement] = []
        var scan: (scan: DeliveryScan, result: DeliveryScanResult)?
        var published: [MessageID: Set<String>] = [:]
        var acknowledged: [MessageID: Set<String>] = [:]
        var repeated = 0
        var unsettled = 0
        var seq: Int64 = 0

        init(seed: UInt64) { random = SplitMix64(seed: seed) }

        mutating func step() {
            switch Int.random(in: 0..<24, using: &random) {
            case 0..<4: publish()
            case 4..<6: report()
            case 6..<11: answer(isSuccess: Int.random(in: 0..<4, using: &random) > 0)
            case 11: write()
            case 12..<14: reply()
            case 14: look()
            case 15: arrive()
            case 16: connect(groups.randomElement(using: &random)!)
            case 17:
                guard let client = clients.keys.sorted(by: { $0.index < $1.index }).randomElement(using: &random) else {
                    break
                }
                clients[client] = nil
                outstanding.removeAll { $0.client == client }
                if pulls.remove(client) == nil { h.disconnect(client) } else { h.endPull(client) }
            case 20..<23: pull(groups.randomElement(using: &random)!)
            case 23:
                h.machine.setPaused(
                    Set(groups.filter { _ in Int.random(in: 0..<4, using: &random) == 0 }.map(BindingName.init)),
                    &h.moment)
            case 18: h.pass(Int64.random(in: 1...3_000_000_000, using: &random))
            default: h.survey(store.survey(wall: h.wall))
            }
            collect()
        }

        mutating func publish() {
            seq += Int64.random(in: 1...3, using: &random)
            let names = groups.filter { _ in Bool.random(using: &random) }
            guard !names.isEmpty else { return }
            let route = Route(names.map { .init(group: $0, persistent: true) })
            let message = DeliveryHarness.message(expiresIn: 1 << 40)
            store.rows[seq] = (message, .fresh(route))
            published[message.id] = Set(names)
            unreported.append((seq, message, route))
        }

        mutating func report() {
            guard !unreported.isEmpty else { return }
            let (seq, message, route) = unreported.remove(at: Int.random(in: unreported.indices, using: &random))
            h.accept(seq, route, message)
        }

        mutating func answer(isSuccess: Bool) {
            guard !outstanding.isEmpty else { return }
            let sent = outstanding.remove(at: Int.random(in: outstanding.indices, using: &random))
            if isSuccess { acknowledged[sent.message.id, default: []].insert(clients[sent.client]!) }
            guard pulls.contains(sent.client) else { return h.acknowledge(sent, isSuccess) }
            if h.settle([sent], clients[sent.client]!, isSuccess) != [.settled] { unsettled += 1 }
        }

        mutating func write() {
            guard written.isEmpty else { return }
            written = Array(unwritten.prefix(3))
            unwritten.removeFirst(written.count)
            for settlement in written { store.apply(settlement) }
        }

        mutating func reply() {
            // The reply was lost, and the same is written again.
            if Bool.random(using: &random) { for settlement in written { store.apply(settlement) } }
            h.machine.settled(written.map(\.seq), shard: 0, &h.moment)
            written = []
        }

        mutating func look() {
            guard scan == nil, let next = h.nextScan() else { return }
            scan = (next, store.read(next, wall: h.wall))
        }

        mutating func arrive() {
            guard let (scan, result) = scan else { return }
            self.scan = nil
            if Int.random(in: 0..<8, using: &random) == 0 {
                return h.machine.scanFailed(scan, &h.moment)
            }
            h.finish(scan, result, loaded: store.load(h.machine.missing(scan, result), for: scan.group))
        }

        mutating func connect(_ group: String) {
            guard clients.count < 6 else { return }
            clients[h.connect(group)] = group
        }

        mutating func pull(_ group: String) {
            guard clients.count < 6 else { return }
            guard case .success(let id) = h.tryPull(group, max: Int.random(in: 1...8, using: &random)) else { return }
            clients[id] = group
            pulls.insert(id)
        }

        mutating func collect() {
            // A pull whose messages are all answered is over.
            for id in pulls where h.machine.clients.index(of: id) == nil {
                pulls.remove(id)
                clients[id] = nil
            }
            // What was on its way to a connection that has gone is lost with it.
            for sent in h.deliveries() {
                guard let group = clients[sent.client] else { continue }
                if acknowledged[sent.message.id]?.contains(group) == true { repeated += 1 }
                outstanding.append(sent)
            }
            unwritten += h.unwritten()
        }

        /// Whether each group's accounts are what the messages in memory say.
        var isBalanced: Bool {
            let slots = h.machine.slots
            var accounts = Array(repeating: SlotTable.Account(), count: h.machine.groups.count)
            for slot in slots.refs.map({ slots[$0] }) {
                for entry in slot.owed {
                    accounts[entry.group.value].owed += 1
                    if entry.isActive { accounts[entry.group.value].bytes += slot.message.footprint }
                }
            }
            var receipts = 0
            for client in h.machine.clients.places.map({ h.machine.clients[$0] }) where client.isOpen {
                if let pull = client.pull {
                    receipts += pull.isWaiting ? client.window.limit : client.window.inFlight + client.window.late
                }
            }
            return accounts == accounts.indices.map { slots.account(of: GroupIndex(value: $0)) }
                && receipts == h.machine.receipts
                && receipts == h.machine.groups.known.reduce(0) { $0 + $1.pulls.receipts }
                && h.machine.waitingPulls == h.machine.groups.known.reduce(0) { $0 + $1.pulls.waiting }
        }

        /// All groups are here, and everything that was begun ends.
        mutating func finish() {
            for client in clients.keys {
                outstanding.removeAll { $0.client == client }
                if pulls.remove(client) == nil { h.disconnect(client) } else { h.endPull(client) }
            }
            clients = [:]
            h.setPaused()
            for group in groups { connect(group) }
            for _ in 0..<2_000 where !(store.rows.isEmpty && h.machine.gauges.unflushed == 0) {
                collect()
                while !unreported.isEmpty { report() }
                while !outstanding.isEmpty { answer(isSuccess: true) }
                collect()
                write()
                reply()
                look()
                arrive()
                h.survey(store.survey(wall: h.wall))
                h.pass(1_000_000_000)
            }
        }
    }

    @Test(arguments: 1...30) func everyMessageReachesEachGroupUntilItIsAcknowledged(seed: UInt64) {
        var world = World(seed: seed)
        for step in 0..<1_500 {
            world.step()
            guard world.isBalanced else {
                Issue.record("the accounts are wrong after step \(step)")
                return
            }
        }
        world.finish()
        #expect(world.store.rows.isEmpty)
        #expect(world.acknowledged == world.published)
        #expect(world.repeated == 0 && world.unsettled == 0)
        #expect(
            world.h.machine.gauges.messages == 0 && world.h.machine.shards.allSatisfy { $0.unwritten.isEmpty }
                && world.isBalanced)
    }
}
