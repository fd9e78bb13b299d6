import Foundation
import MariaDB
import Testing

/// Figures to look at, not to hold: they depend on the machine, and this is a debug build.
@Suite(.serialized) struct RateTests {
    @Test("rows a second, printed", .timeLimit(.minutes(3)))
    func rates() async throws {
        for server in TestServer.available {
            for (name, tail) in [("array binding", ""), ("many-row statements", InsertTests.ladder)] {
                if server == .mySQL && tail.isEmpty { continue }
                for connections in [1, 4] {
                    let rate = try await rate(server, tail, connections)
                    print("\(server.rawValue), \(name), \(connections) connection(s): \(Int(rate)) rows/s of 600 bytes")
                    #expect(rate > 0)
                }
            }
        }
    }

    private func rate(_ server: TestServer, _ tail: String, _ connections: Int) async throws -> Double {
        let perTransaction = 500
        return try await server.withPool { pool in
            try await pool.withConnection { db in
                try db.simple(
                    """
                    CREATE TABLE t (id BIGINT PRIMARY KEY, a BINARY(16) NOT NULL, b VARBINARY(255), c MEDIUMBLOB,
                    UNIQUE KEY (a)) ENGINE=InnoDB
                    """)
            }
            let body = [UInt8](repeating: 120, count: 540)
            let deadline = ContinuousClock.now + .seconds(2)
            let start = ContinuousClock.now
            let count = try await withThrowingTaskGroup(of: Int.self) { tasks in
                for connection in 0..<connections {
                    tasks.addTask {
                        var next = 0
                        while ContinuousClock.now < deadline {
                            var batch = MariaDBBatch([.int, .bytes, .bytes, .bytes])
                            for _ in 0..<perTransaction {
                                let id = next * connections + connection
                                next += 1
                                batch.append(Int64(id))
                                // Unique and in no order, as message ids are.
                                let key = (UInt64(id) &* 0x9E37_79B9_7F4A_7C15).bigEndian
                                withUnsafeBytes(of: (key, UInt64(id))) { batch.append($0) }
                                batch.append("topic")
                                body.withUnsafeBytes { batch.append($0) }
                            }
                            let rows = batch
                            try await pool.withTransaction {
                                try $0.insert(into: "INSERT INTO t (id, a, b, c)", rows, tail: tail)
                            }
                        }
                        return next
                    }
                }
                return try await tasks.reduce(0, +)
            }
            return Double(count) / ((ContinuousClock.now - start) / .seconds(1))
        }
    }
}
