import ArgumentParser
import Foundation
import KiteQCore
import KiteQWire
import LocalServers
import NIOCore
import Testing

@testable import kiteq

@Suite struct BenchTests {
    // MARK: The load

    @Test func aPacketIsAPublishOfItsOwn() throws {
        var packet = try BenchPacket(topic: "trade", messageType: "paid", group: "p-pay", size: 512, isFly: true)
        var buffer = ByteBuffer()
        let ids: [(UInt64, UInt64)] = [(0x0123_4567_89AB_CDEF, 0xFEDC_BA98_7654_3210), (0, .max)]
        for (number, id) in ids.enumerated() {
            packet.write(into: &buffer, opaque: Int32(number + 7), id: id, time: 1_234_567 + Int64(number))
        }
        var decoder = PacketDecoder(framing: .plain)
        for (number, id) in ids.enumerated() {
            let decoded = try #require(try decoder.next(from: &buffer))
            #expect(decoded.header.opaque == Int32(number + 7) && decoded.header.command == .bytesMessage)
            let parts = try MessageBody.split(decoded.body)
            #expect(parts.body.readableBytes == 512)
            #expect(parts.body.getInteger(at: parts.body.readerIndex, as: Int64.self) == 1_234_567 + Int64(number))
            let header = try MessageHeaderView(decoding: parts.header)
            #expect(header.messageID == MessageID(high: id.0, low: id.1).description)
            #expect(header.topic == "trade" && header.messageType == "paid" && header.groupID == "p-pay")
            #expect(header.commit && header.fly)
        }
        #expect(buffer.readableBytes == 0)
    }

    @Test func timesAreFoundByTheirOpaque() {
        var times = OutstandingTimes(capacity: 4)
        let inserted = [1, 2, 3, 4].map { times.insert($0, time: Int64($0) * 10) }
        #expect(inserted == [true, true, true, true])
        let isTaken = !times.insert(5, time: 50)
        #expect(isTaken, "the place of 1")
        let removed = [times.remove(3), times.remove(3), times.remove(1)]
        #expect(removed == [30, nil, 10] && times.count == 2)
        let again = times.insert(5, time: 50)
        let time = times.remove(5)
        #expect(again && time == 50)
    }

    // MARK: The report

    private let plan = BenchPlan(
        connections: 4, outstanding: 1_000, size: 512, duration: .seconds(5), sweep: .seconds(1), rate: 2_000,
        waiting: 10, snapshot: .seconds(2), idleConnections: 10, options: [])

    @Test func aTargetIsHeldAgainstTheMedianRatio() throws {
        var report = BenchReport(plan: plan, store: "MySQL, 4 shards")
        for (value, against) in [(60_000.0, 100_000.0), (80_000, 100_000), (75_000, 100_000)] {
            report.add(BenchSample(value: value, against: against), of: .publish)
        }
        report.add(BenchSample(value: 201), of: .memory)
        #expect(
            report.table.contains(
                "| durable publishes a second | 75000 | raw INSERT | 100000 | 0.75 | 0.60 to 0.80 | at least 0.7 | met |"
            ))
        #expect(report.table.contains("| MiB of memory with idle connections | 201.00 |  |  |  |"))
        #expect(report.table.contains("| at most 200 | missed |"))
        let json = try #require(try JSONSerialization.jsonObject(with: report.json()) as? [String: Any])
        let works = try #require(json["works"] as? [[String: Any]])
        #expect(works.map { $0["work"] as? String } == ["publish", "memory"])
        #expect(works.map { $0["isMet"] as? Bool } == [true, false])
        #expect(works[0]["result"] as? Double == 0.75)
    }

    // MARK: The command

    @Test(arguments: [
        ["--store", "memory://", "--work", "publish"], ["--store", "memory://", "--work", "fly,nothing"],
        ["--store", "memory://", "--work", "fly", "--rounds", "0"], ["--work", "fly"],
        ["--store", "memory://", "--work", "snapshot"], ["--store", "memory://", "--work", "fly", "--snapshot", "0"],
    ])
    func nonsenseIsRefused(arguments: [String]) {
        #expect(throws: (any Error).self) { try BenchCommand.parse(arguments) }
    }

    @Test func othersDatabasesAreLeftAlone() throws {
        let outcome = try CommandProcess.run(["bench", "--store", "mysql://root@127.0.0.1:1/kite?shards=2"])
        #expect(outcome.status == 1 && outcome.error.contains("with bench in their name"), "\(outcome)")
    }

    /// Every work once, for a second: that each gives a figure, not which.
    @Test(.timeLimit(.minutes(4))) func everythingIsMeasured() async throws {
        let folder = try LocalServers.temporaryFolder("bench-test")
        let database = try LocalMariaDB(
            dataDirectory: folder.appending(path: "data"), options: ["--max-allowed-packet=16M"])
        try await database.start()
        let json = folder.appending(path: "figures.json")
        let outcome = try CommandProcess.run([
            "bench", "--store", "mysql://root@127.0.0.1:\(database.port)/kite_bench?shards=2", "--work",
            BenchWork.allCases.map(\.rawValue).joined(separator: ","), "--rounds", "1", "--duration", "1", "--sweep",
            "10", "--waiting", "500", "--idle-connections", "50", "--rate", "200", "--snapshot", "2", "--json",
            json.path,
        ])
        await database.stop()
        #expect(outcome.status == 0, "\(outcome.error)")
        #expect(
            outcome.error.contains("s of the snapshot: ") && outcome.error.contains(" pages and "), "\(outcome.error)")
        #expect(outcome.output.split(separator: "\n").count == 3 + BenchWork.allCases.count, "\(outcome.output)")
        let report = try #require(
            try JSONSerialization.jsonObject(with: Data(contentsOf: json)) as? [String: Any])
        let works = try #require(report["works"] as? [[String: Any]])
        #expect(works.count == BenchWork.allCases.count)
        // An idle broker may use less than the clock's tick.
        for work in works where work["work"] as? String != "idle" {
            #expect((work["value"] as? Double ?? 0) > 0 && (work["result"] as? Double ?? 0) > 0, "\(work)")
        }
    }
}
