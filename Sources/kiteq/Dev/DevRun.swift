import Foundation
import KiteQBroker
import KiteQStore
import LocalServers
import Logging
import MariaDB

/// Runs a plan: the database, its tables, the registry, the broker, and the demonstration where it is wanted.
struct DevRun: Sendable {
    let plan: DevPlan
    let stop: Latch
    let logger: Logger

    /// Nothing that it started runs when it returns.
    func run() async throws {
        do {
            try await runAll()
        } catch {
            try plan.folder.removeIfTemporary()
            if stop.isSet { return }
            throw error
        }
        try plan.folder.removeIfTemporary()
    }

    private func runAll() async throws {
        try await PortCheck.require(Endpoint(host: "127.0.0.1", port: plan.databasePort), flag: "--mysql-port")
        try await PortCheck.require(plan.configuration.bind, flag: "--bind")
        if let admin = plan.configuration.admin { try await PortCheck.require(admin, flag: "--admin") }
        let database: LocalMariaDB
        do {
            // Binary log off, each commit flushed: what the guarantees are about, on one machine.
            database = try LocalMariaDB(
                dataDirectory: plan.folder.database, port: plan.databasePort,
                options: ["--innodb-flush-log-at-trx-commit=1", "--max-allowed-packet=64M"], logger: logger)
            progress("starting MariaDB in \(plan.shownFolder)/mysql (the first time takes some seconds)")
            guard try await stop.cancels({ try await database.start() }) != nil else {
                return await database.stop()
            }
        } catch let error as LocalServerError {
            throw CommandError(error.description)
        }
        do {
            try await serve(database)
        } catch {
            await database.stop()
            throw error
        }
        await database.stop()
    }

    private func serve(_ database: LocalMariaDB) async throws {
        progress("making \(DevPlan.shards) databases and their tables, where they are not there")
        let store = try StoreFactory.mysql(plan.configuration.store, plan.configuration.broker.secretFiles)
        guard try await stop.cancels({ try await Migrator(store, logger: logger).run() }) != nil else { return }
        try plan.folder.writeRegistry(broker: plan.configuration.bind, topics: plan.topics)
        progress("starting the broker")
        // Not before: the database server would set memory aside for each file that it may open.
        ProcessWide.prepareToServe()
        let host = try BrokerHost(plan.configuration, logger: logger)
        try await host.run(stop: stop) { serving in
            let screen = DevScreen(plan: plan, serving: serving, socket: database.socket)
            for line in screen.lines { StandardOutput.print(line) }
            guard plan.isDemo else { return false }
            try await Demo(plan: plan, address: serving.address, database: store, logger: logger).run()
            if plan.keeps { StandardOutput.print("Everything runs on until Ctrl-C.") }
            return !plan.keeps
        }
    }

    private func progress(_ text: String) { StandardError.write("kiteq dev: \(text)\n") }
}
