import Foundation
import KiteQStore
import LocalServers
import Logging
import MariaDB
import Testing

@testable import kiteq

/// `kiteq dead-letters`, the built executable, against a real MariaDB.
@Suite(.serialized, .timeLimit(.minutes(3))) struct DeadLetterCommandTests {
    private static let first = "00000000000000000000000000000001"
    private static let parked = "00000000000000000000000000000002"

    /// A migrated store of two shards with five dead letters: three of one message, one that expired, one undecided.
    private func withLetters(_ body: (_ store: [String]) async throws -> Void) async throws {
        let folder = try LocalServers.temporaryFolder("letters")
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: folder) } }
        let database = try LocalMariaDB(dataDirectory: folder)
        try await database.start()
        do {
            let store = "mysql://kite:hush@127.0.0.1:\(database.port)/kite?shards=2"
            let configuration = MariaDBConfiguration(
                servers: [.tcp(host: "127.0.0.1", port: database.port)], user: "root", password: "", database: nil)
            let pool = MariaDBPool(configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { await pool.run() }
                defer { tasks.cancelAll() }
                try await pool.withConnection {
                    try $0.simple("GRANT ALL ON *.* TO kite@'127.0.0.1' IDENTIFIED BY 'hush'")
                }
                #expect(try CommandProcess.run(["migrate", "--store", store]).status == 0)
                try await pool.withConnection { try Self.fill($0) }
                try await body(["--store", store])
            }
        } catch {
            await database.stop()
            throw error
        }
        await database.stop()
    }

    /// A header as a producer sends it: id, topic, type, expiredTime, deliverLimit, group, commit, fly, one property.
    private static let header =
        "0A20" + Data(first.utf8).map { String(format: "%02X", $0) }.joined()
        + "12057472616465" + "1A0470616964" + "2000" + "2864" + "3203702D31" + "3801" + "4000"
        + "4A0B0A056F726465721202" + "3137"

    private static func fill(_ connection: isolated MariaDBConnection) throws {
        func bury(_ shard: Int, _ seq: Int, _ id: String, _ group: String, _ reason: Int, _ topic: String, died: String)
            throws
        {
            try connection.simple(
                """
                INSERT INTO kite_\(shard).kite_dead_letter (seq, message_id, group_name, reason, attempts, last_error, died_at, kind, \
                expires_at, published_at, deliver_limit, topic, message_type, publisher_group, header, body) \
                VALUES (\(seq), UNHEX('\(id)'), '\(group)', \(reason), 100, IF(\(reason) = 1, 'no answer\\nin time', NULL), \
                UNIX_TIMESTAMP() * 1000 - \(died), 18, 1700003600000, 1700000000000, 100, '\(topic)', 'paid', 'p-1', \
                UNHEX('\(header)'), '{"order":17}\\n')
                """)
        }
        // The shard of an id is its slot's: CRC32(id) & 255, dealt out in turn.
        func shard(_ id: String) throws -> Int {
            Int(try connection.simpleRows("SELECT (CRC32(UNHEX('\(id)')) & 255) % 2")[0].int(0))
        }
        let (one, two) = (try shard(first), try shard(parked))
        try bury(one, 1, first, "a", 1, "trade", died: "50000")
        try bury(one, 1, first, "b", 1, "trade", died: "40000")
        try bury(one, 1, first, "c", 1, "trade", died: "30000")
        try bury(0, 2, "00000000000000000000000000000003", "a", 2, "feed", died: "864000000")
        try bury(two, 3, parked, "", 3, "trade", died: "20000")
        try connection.simple(
            "INSERT INTO kite_\(two).kite_transaction VALUES (3, UNHEX('\(parked)'), 3, 15, 1, 'p-1', 'p-1')")
    }

    private func run(_ arguments: [String], _ store: [String]) throws -> CommandProcess.Outcome {
        let outcome = try CommandProcess.run(["dead-letters"] + arguments + store)
        #expect(!outcome.output.contains("hush") && !outcome.error.contains("hush"))
        return outcome
    }

    private func objects(_ outcome: CommandProcess.Outcome) throws -> [[String: Any]] {
        try outcome.output.split(separator: "\n").map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
    }

    @Test func letterByLetter() async throws {
        try await withLetters { store in
            let table = try run(["list"], store)
            #expect(table.status == 0 && table.error == "")
            let lines = table.output.split(separator: "\n")
            #expect(lines.count == 6 && lines[0].hasPrefix("ID "))
            #expect(lines[1].contains("  feed/paid ") && lines[1].contains(" expired ") && lines[1].hasSuffix("  -"))
            #expect(lines[2].hasSuffix(" \(Self.first)  no answer\\nin time"))

            let all = try objects(run(["list", "--json"], store))
            #expect(all.map { $0["group"] as? String } == ["a", "a", "b", "c", ""])
            let ids = all.compactMap { $0["id"] as? String }

            let some = try run(["list", "--json", "--topic", "trade", "--limit", "2"], store)
            #expect(try objects(some).compactMap { $0["id"] as? String } == Array(ids[1...2]))
            let cursor = try #require(some.error.split(separator: " ").last?.trimmingCharacters(in: .newlines))
            let rest = try run(["list", "--json", "--topic", "trade", "--limit", "2", "--after", cursor], store)
            #expect(try objects(rest).compactMap { $0["id"] as? String } == Array(ids[3...4]))
            #expect(rest.error == "")
            #expect(try run(["list", "--group", "nobody"], store).output == "no dead letters\n")
            #expect(try objects(run(["list", "--json", "--older-than", "7d"], store)).count == 1)
            #expect(try objects(run(["list", "--json", "--newer-than", "7d"], store)).count == 4)

            let shown = try run(["show", ids[1]], store)
            #expect(shown.status == 0)
            #expect(shown.output.contains("property     order = 17\n"))
            #expect(shown.output.contains("reason       attempts used up (100 of 100)\n"))
            #expect(shown.output.hasSuffix("{\"order\":17}\\n\n"))
            let whole = try objects(run(["show", Self.first, "--group", "b", "--json"], store))
            #expect(whole.count == 1 && whole[0]["body"] as? String == "{\"order\":17}\n")
            #expect(whole[0]["properties"] as? [String: String] == ["order": "17"])
            #expect(try objects(run(["show", Self.first, "--json"], store)).count == 3)
            let missing = try run(["show", "0:99"], store)
            #expect(missing.status == 1 && missing.error == "kiteq: there is no dead letter 0:99\n")

            let requeued = try run(["requeue", ids[1]], store)
            #expect(requeued.status == 0 && requeued.output == "\(ids[1]) requeued for a\n" && requeued.error == "")
            let again = try run(["requeue", ids[1], Self.first, "--json"], store)
            #expect(again.status == 1)
            #expect(try objects(again).map { $0["requeued"] as? Bool } == [false, true, true])
            #expect(again.error == "kiteq: 1 of 3 dead letters were not requeued\n")

            let undecided = try run(["requeue", ids[4]], store)
            #expect(undecided.status == 1 && undecided.output.contains("no group is known to be bound to trade/paid"))
            #expect(try run(["requeue", ids[4], "--to-group", "z"], store).output == "\(ids[4]) requeued for z\n")

            #expect(try run(["delete", ids[0]], store).output == "\(ids[0]) deleted\n")
            let gone = try run(["delete", ids[0]], store)
            #expect(gone.status == 1 && gone.error == "kiteq: there is no dead letter \(ids[0])\n")
            #expect(try run(["list"], store).output == "no dead letters\n")
        }
    }

    @Test func byFilter() async throws {
        try await withLetters { store in
            let part = try run(["requeue", "--topic", "trade", "--limit", "2"], store)
            #expect(part.status == 0 && part.output.hasSuffix("\n2 requeued\n"))
            #expect(part.error.hasPrefix("kiteq: there are more"))
            #expect(try run(["requeue", "--topic", "trade"], store).output.hasSuffix("\n1 requeued\n"))
            #expect(try run(["requeue", "--all", "--json"], store).output.filter(\.isNewline).count == 1)
            #expect(try objects(run(["list", "--json"], store)).map { $0["reason"] as? String } == ["undecided"])

            let hesitant = try run(["delete", "--reason", "undecided"], store)
            #expect(hesitant.status == 64 && hesitant.error.contains("--yes"))
            #expect(try run(["delete", "--all", "--yes"], store).output == "0 deleted\n")
            #expect(try run(["delete", "--reason", "undecided", "--yes"], store).output == "1 deleted\n")
            #expect(try run(["list"], store).output == "no dead letters\n")
        }
    }

    @Test func whatIsInTheWayIsOneSentence() throws {
        let store = "mysql://root:hush@127.0.0.1:\(try LocalServers.freePort())/kite?shards=2"
        let away = try run(["list", "--store", store], [])
        #expect(away.status == 1 && away.output == "")
        #expect(away.error.split(separator: "\n").last?.hasPrefix("kiteq: shard 0: ") == true)
        #expect(try run(["list", "--store", "memory://"], []).status == 64)
        #expect(try run(["list"], []).status == 64)
        #expect(try run(["requeue", "--store", store], []).status == 64)
        let help = try run(["requeue", "--help"], [])
        #expect(help.status == 0 && help.output.contains("--to-group"))
    }
}
