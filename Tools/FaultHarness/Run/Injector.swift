import KiteQCore
import LocalServers

/// Carries out the schedule: waits for load, hurts a server, heals it, and notes what was open.
struct Injector: Sendable {
    let configuration: HarnessConfiguration
    let history: History
    let servers: Servers
    let tables: Tables
    let complaints: Complaints
    /// What looks after the publishes of each broker, and those of the cluster itself, where the run has one.
    var brokerProbe: BrokerProbe?
    var clusterProbe: ClusterProbe?
    /// Told of each fault, and how many there were before.
    let onFault: @Sendable (FaultRecord, Int) -> Void

    /// Carries out faults until the schedule or the time ends.
    func run(_ schedule: FaultSchedule, isOver: @Sendable () -> Bool) async throws -> [FaultRecord] {
        var records: [FaultRecord] = []
        for fault in schedule {
            if isOver() { break }
            try await waitForLoad(fault)
            if isOver() { break }
            for record in try await inject(fault) {
                onFault(record, records.count)
                records.append(record)
            }
            try await Task.sleep(for: configuration.calm)
        }
        return records
    }

    // MARK: Before

    /// Returns at a moment of the schedule's choice at which enough is open, or after the limit.
    private func waitForLoad(_ fault: PlannedFault) async throws {
        let deadline = ContinuousClock.now + configuration.loadLimit
        repeat {
            while !isLoaded, ContinuousClock.now < deadline {
                try await checkBrokers()
                try await Task.sleep(for: .milliseconds(5))
            }
            try await Task.sleep(for: fault.delay)
            try await checkBrokers()
        } while !isLoaded && ContinuousClock.now < deadline
    }

    private var isLoaded: Bool {
        let gauges = history.gauges
        return gauges.publishesOpen >= configuration.openPublishes
            && gauges.deliveriesOpen.reduce(0, +) >= configuration.openDeliveries
    }

    /// A broker that ends without being told to is a finding; the others go on, and it comes back.
    func checkBrokers() async throws {
        for broker in servers.brokers where broker.program.pid == nil {
            let end = await broker.program.end(within: .zero) ?? "with status 0"
            complaints.note("broker-\(broker.number) ended by itself, \(end): \(broker.program.lastWords)")
            try await restart(broker, after: .zero)
        }
    }

    /// All of them in order, one after the other.
    func restartBrokers() async throws {
        for broker in servers.brokers {
            await stop(broker)
            try await restart(broker, after: .zero)
        }
    }

    func stop(_ broker: BrokerProcess) async {
        if let end = await broker.program.stop() {
            complaints.note("broker-\(broker.number) did not stop in order, \(end): \(broker.program.lastWords)")
        }
    }

    func record(_ fault: PlannedFault) -> FaultRecord {
        let gauges = history.gauges
        var record = FaultRecord(
            fault: fault, start: history.now, end: 0, publishesOpen: gauges.publishesOpen,
            deliveriesOpen: gauges.deliveriesOpen.reduce(0, +))
        record.deliveriesHit = gauges.deliveriesOpen.indices.filter { record.hits(broker: $0) }
            .reduce(0) { $0 + gauges.deliveriesOpen[$1] }
        return record
    }

    // MARK: The faults

    /// Several where one fault is several.
    private func inject(_ fault: PlannedFault) async throws -> [FaultRecord] {
        let broker = servers.brokers[fault.broker]
        if fault.kind == .bothKill { return try await killBoth(fault, broker) }
        if fault.kind == .crashPoint { return try await crash(broker, fault) }
        if fault.kind.isOfCluster { return try await injectIntoCluster(fault, broker) }
        var record = record(fault)
        var aftermath = configuration.aftermath
        switch fault.kind {
        case .brokerKill:
            await broker.program.kill()
            try await restart(broker, after: fault.outage)
            aftermath = .zero
        case .brokerStop:
            await stop(broker)
            try await restart(broker, after: fault.outage)
        case .bothKill, .crashPoint: break  // Not here: they may be two faults.
        case .brokerPause:
            broker.program.pause()
            try await Task.sleep(for: fault.outage)
            broker.program.resume()
        case .databaseKill:
            await servers.database?.kill()
            try await Task.sleep(for: fault.outage)
            try await servers.database?.start(within: .seconds(120))
        case .zooKeeperKill:
            await servers.zooKeeper?.kill()
            try await Task.sleep(for: fault.outage)
            try await servers.zooKeeper?.start(within: .seconds(60))
        case .databaseCut:
            try await disturb(broker.databaseProxy, fault) { $0.cut() }
        case .databaseSilence:
            try await disturb(broker.databaseProxy, fault) { $0.silence() }
        case .zooKeeperCut:
            try await disturb(broker.zooKeeperProxy, fault) { $0.cut() }
        case .nameTwice:
            try await startTwice(broker)
            aftermath = .zero
        case .clockWrong:
            guard let clock = broker.clock else { throw HarnessError("broker-\(broker.number) has no clock to set") }
            try clock.set(ahead: fault.lead)
            try await Task.sleep(for: fault.outage)
            aftermath = .zero
        case .shardLock:
            try await tables.lock(shard: fault.shard ?? 0, againstReading: fault.broker % 2 == 1, for: fault.outage)
        case .shardRestore:
            let dump = try await tables.dump(shard: fault.shard ?? 0)
            try await Task.sleep(for: fault.outage)
            try await tables.playBack(dump)
        case .shardDown:
            try await disturb(servers.shardProxies[fault.shard ?? 0], fault) { $0.cut() }
        case _: break  // A cluster's: not here.
        }
        (record.healed, record.end) = (history.now, end(after: aftermath))
        return [record]
    }

    func end(after aftermath: Duration) -> UInt32 { history.now + UInt32(aftermath / .microseconds(100)) }

    /// The database goes, then a broker, which finds it away when it starts again.
    private func killBoth(_ fault: PlannedFault, _ broker: BrokerProcess) async throws -> [FaultRecord] {
        var database = record(fault)
        database.fault.kind = .databaseKill
        await servers.database?.kill()
        try await Task.sleep(for: fault.outage / 2)
        var death = record(fault)
        death.fault.kind = .brokerKill
        // The load was there when the database went: what is open since then waits for it.
        (death.publishesOpen, death.deliveriesOpen) = (database.publishesOpen, database.deliveriesOpen)
        await broker.program.kill()
        async let start: Void = restart(broker, after: .zero)
        try await Task.sleep(for: fault.outage / 2)
        try await servers.database?.start(within: .seconds(120))
        try await start
        (database.end, death.end) = (end(after: configuration.aftermath), end(after: .zero))
        return [database, death]
    }

    /// A second process of the broker's name: it has to end by itself, and say why; the first has to stay what it was.
    private func startTwice(_ broker: BrokerProcess) async throws {
        let name = "broker-\(broker.number)"
        let before = try await settledLife(of: name)
        do {
            try await broker.double.start()
            complaints.note("a second process of the name \(name) serves beside the first")
        } catch let error as LocalServerError {
            let end = await broker.double.end(within: .zero)
            if end != "it ended with status 1" || !error.message.contains("a broker of the name \(name) works already")
            {
                complaints.note("a second process of the name \(name) did not end as it should: \(error)")
            }
        }
        await broker.double.kill()
        try await checkBrokers()
        let after = try await tables.lives(of: name)
        if after != before {
            complaints.note(
                "a second process of the name \(name) ended the life of the first: \(before), then \(after)")
        }
    }

    /// The broker's life, once it is the same in every shard: after an earlier fault it may have to begin anew.
    private func settledLife(of name: String) async throws -> [Int64?] {
        let deadline = ContinuousClock.now + configuration.loadLimit
        while true {
            let lives = try await tables.lives(of: name)
            if let first = lives.first, first != nil, lives.allSatisfy({ $0 == first }) { return lives }
            if ContinuousClock.now > deadline { throw HarnessError("\(name) does not come to live: \(lives)") }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    private func disturb(
        _ proxy: FaultProxy?, _ fault: PlannedFault, _ how: (FaultProxy) -> Void
    ) async throws {
        guard let proxy else { throw HarnessError("there is no proxy for \(fault.kind.rawValue)") }
        how(proxy)
        try await Task.sleep(for: fault.outage)
        proxy.pass()
    }

    func restart(_ broker: BrokerProcess, after outage: Duration) async throws {
        history.endLife(ofBroker: broker.number)
        try await Task.sleep(for: outage)
        try await broker.program.start()
    }

    // MARK: Crash points

    /// Points that a broker comes to where a life before it, or another one, has left something behind.
    private static let heirs: Set<CrashPoint> = [.orphanClaimed, .deliveryTaken, .releasing, .loaded]

    /// Starts a broker that kills itself at a point, waits until it has, and starts it again.
    private func crash(_ broker: BrokerProcess, _ fault: PlannedFault) async throws -> [FaultRecord] {
        let point = CrashPoint(rawValue: String(fault.crashPoint.prefix { $0 != ":" }))
        var records: [FaultRecord] = []
        if let point, Self.heirs.contains(point) {
            var death = record(fault)
            death.fault.kind = .brokerKill
            await broker.program.kill()
            (death.healed, death.end) = (history.now, history.now)
            records.append(death)
        } else {
            await stop(broker)
        }
        history.endLife(ofBroker: broker.number)
        var record = record(fault)
        do {
            try await broker.program.start(environment: ["KITEQ_CRASH_AT": fault.crashPoint])
        } catch {
            // Some points lie before it serves: it has crashed at its start.
            guard broker.program.pid == nil else { throw error }
        }
        if point == .leaving {
            try await waitForLoad(fault)
            record = self.record(fault)
            _ = await broker.program.stop()
        }
        try await waitForCrash(of: broker, fault, &record)
        try await restart(broker, after: fault.outage)
        (record.healed, record.end) = (history.now, history.now)
        return records + [record]
    }

    /// Keeps the record as it was at the last look before the broker was dead.
    private func waitForCrash(of broker: BrokerProcess, _ fault: PlannedFault, _ record: inout FaultRecord) async throws
    {
        let deadline = ContinuousClock.now + configuration.loadLimit
        while broker.program.pid != nil {
            record = self.record(fault)
            if ContinuousClock.now > deadline {
                // A run that never comes there says so in its table.
                record.fault.crashPoint += " not reached"
                return await stop(broker)
            }
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}
