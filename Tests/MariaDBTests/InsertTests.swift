import MariaDB
import Testing

@Suite struct InsertTests {
    static let table = "CREATE TABLE t (id BIGINT PRIMARY KEY, a VARBINARY(300), b MEDIUMBLOB) ENGINE=InnoDB"
    /// A comment after the values makes the statement one of many rows on every server.
    static let ladder = "/* ladder */"

    /// Rows with NULL, empty and long values in turn.
    static func rows(_ range: Range<Int>) -> [(Int64, [UInt8]?, [UInt8]?)] {
        range.map { id in
            let a: [UInt8]? = id % 3 == 0 ? nil : Array(repeating: UInt8(truncatingIfNeeded: id), count: id % 300)
            let b: [UInt8]? = id % 5 == 0 ? nil : id % 7 == 0 ? [] : Array("row \(id)".utf8)
            return (Int64(id), a, b)
        }
    }

    static func batch(_ rows: [(Int64, [UInt8]?, [UInt8]?)]) -> MariaDBBatch {
        var batch = MariaDBBatch([.int, .bytes, .bytes])
        for (id, a, b) in rows {
            batch.append(id)
            for value in [a, b] {
                if let value { batch.append(value) } else { batch.appendNull() }
            }
        }
        return batch
    }

    @Test("array binding and many-row statements store the same", arguments: TestServer.available)
    func sameRows(_ server: TestServer) async throws {
        for count in [0, 1, 2, 4, 255, 256, 257, 1_000] {
            try await server.withPool { pool in
                try await pool.withConnection { db in
                    try db.simple(Self.table)
                    try db.simple("CREATE TABLE u LIKE t")
                    let batch = Self.batch(Self.rows(0..<count))
                    #expect(batch.count == count)
                    try db.insert(into: "INSERT INTO t (id, a, b)", batch)
                    try db.insert(into: "INSERT INTO u (id, a, b)", batch, tail: Self.ladder)
                    let stored = try db.query("SELECT * FROM t ORDER BY id")
                    #expect(stored.map(\.values) == (try db.query("SELECT * FROM u ORDER BY id")).map(\.values))
                    #expect(stored.count == count)
                    for (row, wanted) in zip(stored, Self.rows(0..<count)) {
                        let same =
                            try row.int(0) == wanted.0 && row.optionalBytes(1) == wanted.1
                            && row.optionalBytes(2) == wanted.2
                        if !same { Issue.record("row \(wanted.0) differs") }
                    }
                }
            }
        }
    }

    @Test("only NULLs, only empty values, and values of 1 MiB", arguments: TestServer.available)
    func extremes(_ server: TestServer) async throws {
        try await server.withPool { pool in
            try await pool.withConnection { db in
                for tail in ["", Self.ladder] {
                    try db.simple("DROP TABLE IF EXISTS t")
                    try db.simple(Self.table)
                    let big = [UInt8](repeating: 7, count: 1_048_576)
                    try db.insert(
                        into: "INSERT INTO t (id, a, b)", Self.batch([(1, nil, nil), (2, nil, nil)]), tail: tail)
                    try db.insert(into: "INSERT INTO t (id, a, b)", Self.batch([(3, [], []), (4, [], [])]), tail: tail)
                    try db.insert(
                        into: "INSERT INTO t (id, a, b)", Self.batch([(5, [], big), (6, [1], big)]), tail: tail)
                    let rows = try db.query("SELECT a, b FROM t ORDER BY id").map(\.values)
                    #expect(
                        rows == [
                            [.null, .null], [.null, .null], [.bytes([]), .bytes([])], [.bytes([]), .bytes([])],
                            [.bytes([]), .bytes(big)], [.bytes([1]), .bytes(big)],
                        ])
                }
            }
        }
    }

    @Test("a duplicate key in the middle leaves nothing", arguments: TestServer.available, ["", InsertTests.ladder])
    func duplicates(_ server: TestServer, _ tail: String) async throws {
        try await server.withPool { pool in
            try await pool.withConnection { try $0.simple(Self.table) }
            var rows = Self.rows(0..<700)
            rows[420].0 = 3
            let batch = Self.batch(rows)
            let error = await #expect(throws: MariaDBError.self) {
                try await pool.withTransaction { try $0.insert(into: "INSERT INTO t (id, a, b)", batch, tail: tail) }
            }
            #expect(error?.isDuplicateKey == true)
            try await pool.withConnection { db in
                #expect(try db.query("SELECT COUNT(*) FROM t")[0].int(0) == 0)
                // The statement and its connection are good for the next one.
                try db.insert(into: "INSERT INTO t (id, a, b)", Self.batch(Self.rows(0..<700)), tail: tail)
                #expect(try db.query("SELECT COUNT(*) FROM t")[0].int(0) == 700)
            }
            #expect(pool.statistics.open == 1)
        }
    }

    @Test("a row that is too long is a data error", arguments: TestServer.available)
    func tooLong(_ server: TestServer) async throws {
        try await server.withPool { pool in
            try await pool.withConnection { try $0.simple(Self.table) }
            let error = await #expect(throws: MariaDBError.self) {
                try await pool.withTransaction { db in
                    try db.insert(
                        into: "INSERT INTO t (id, a, b)",
                        Self.batch([(1, nil, nil), (2, [UInt8](repeating: 1, count: 301), nil), (3, nil, nil)]))
                }
            }
            #expect(error?.isDataError == true)
            #expect(try await pool.withConnection { try $0.query("SELECT COUNT(*) FROM t")[0].int(0) } == 0)
        }
    }

    @Test("a statement over max_allowed_packet is an error, and the pool goes on", arguments: TestServer.available)
    func tooLarge(_ server: TestServer) async throws {
        try await server.withPool { pool in
            try await pool.withConnection {
                try $0.simple("CREATE TABLE t (id INT PRIMARY KEY, a LONGBLOB) ENGINE=InnoDB")
            }
            let error = await #expect(throws: MariaDBError.self) {
                try await pool.withConnection { db in
                    let value = MariaDBValue.bytes([UInt8](repeating: 1, count: 17 << 20))
                    try db.execute("INSERT INTO t VALUES (1, ?)", [value])
                }
            }
            let isClear = error.map { $0.isDataError || $0.isConnectionLost }
            #expect(isClear == true, "\(String(describing: error))")
            #expect(try await pool.withConnection { try $0.query("SELECT COUNT(*) FROM t")[0].int(0) } == 0)
        }
    }

    @Test("a list's length is one of few")
    func listSizes() {
        #expect([1, 2, 4, 5, 64, 65, 257, 896].map(Ladder.listSize) == [1, 4, 4, 16, 64, 128, 384, 896])
    }
}
