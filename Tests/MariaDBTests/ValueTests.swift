import MariaDB
import Testing

@Suite struct ValueTests {
    @Test("numbers come back as they were sent", arguments: TestServer.available)
    func numbers(_ server: TestServer) async throws {
        try await server.withPool { pool in
            try await pool.withConnection { db in
                try db.simple(
                    """
                    CREATE TABLE t (id INT PRIMARY KEY, a TINYINT, b SMALLINT, c MEDIUMINT, d BIGINT, e BIGINT UNSIGNED,
                    f DOUBLE, g FLOAT, h TINYINT UNSIGNED, i INT UNSIGNED, j DECIMAL(30, 10), y YEAR) ENGINE=InnoDB
                    """)
                let rows: [[MariaDBValue]] = [
                    [
                        1, -128, -32_768, -8_388_608, .int(Int64.min), .uint(.max), .double(1e300), .double(0.5), 255,
                        .uint(4_294_967_295),
                    ],
                    [2, 127, 32_767, 8_388_607, .int(Int64.max), .uint(0), .double(-0.1), .double(-1.25), 0, 0],
                    [3, nil, nil, nil, nil, nil, nil, nil, nil, nil],
                ]
                for row in rows {
                    let decimal: MariaDBValue = row[1] == nil ? nil : "-12345678901234567890.0123456789"
                    let year: MariaDBValue = row[1] == nil ? nil : 2_155
                    let marks = Array(repeating: "?", count: 12).joined(separator: ",")
                    let result = try db.execute("INSERT INTO t VALUES (\(marks))", row + [decimal, year])
                    #expect(result.affectedRows == 1)
                }
                let read = try db.query("SELECT * FROM t ORDER BY id")
                #expect(read.count == 3)
                #expect(
                    read[0].values == [
                        1, -128, -32_768, -8_388_608, .int(Int64.min), .uint(.max), .double(1e300), .double(0.5),
                        .uint(255),
                        .uint(4_294_967_295), .bytes(Array("-12345678901234567890.0123456789".utf8)), .uint(2_155),
                    ])
                #expect(
                    read[1].values[1...7] == [
                        127, 32_767, 8_388_607, .int(Int64.max), .uint(0), .double(-0.1), .double(-1.25),
                    ])
                #expect(read[2].values == [3] + Array(repeating: MariaDBValue.null, count: 11))
                #expect(try read[0].int(4) == Int64.min)
                #expect(throws: MariaDBError.self) { try read[0].int(5) }
                #expect(throws: MariaDBError.self) { try read[2].int(1) }
                #expect(throws: MariaDBError.self) { try read[0].bytes(1) }
                #expect(try read[0].text(1) == "-128")
                #expect(try db.query("SELECT COUNT(*), SUM(id) FROM t")[0].int(1) == 6)
            }
        }
    }

    @Test("bytes come back as they were sent, whatever they are", arguments: TestServer.available)
    func bytes(_ server: TestServer) async throws {
        try await server.withPool { pool in
            try await pool.withConnection { db in
                try db.simple("CREATE TABLE t (id INT PRIMARY KEY, a MEDIUMBLOB, b VARBINARY(300)) ENGINE=InnoDB")
                let all = (0...255).map { UInt8($0) }
                let big = (0..<1_048_576).map { UInt8(truncatingIfNeeded: $0 &* 31) }
                let values: [[UInt8]?] = [[], nil, all, [0], Array("'; DROP TABLE t; --\\".utf8), big]
                for (id, value) in values.enumerated() {
                    let parameter = value.map { MariaDBValue.bytes($0) } ?? .null
                    let short = value.map { MariaDBValue.bytes(Array($0.prefix(300))) } ?? .null
                    try db.execute("INSERT INTO t VALUES (?, ?, ?)", [.int(id), parameter, short])
                }
                // All in one result, where the longest column sets the size of the buffer.
                let rows = try db.query("SELECT a, b FROM t ORDER BY id")
                #expect(try rows.map { try $0.optionalBytes(0) } == values)
                #expect(try rows.map { try $0.optionalBytes(1) } == values.map { $0.map { Array($0.prefix(300)) } })
                // And by the text protocol.
                #expect(try db.simpleRows("SELECT a FROM t ORDER BY id").map { try $0.optionalBytes(0) } == values)
                #expect(throws: MariaDBError.self) { try rows[1].bytes(0) }
                #expect(throws: MariaDBError.self) { try rows[1].text(0) }
            }
        }
    }

    @Test("text, times and the rest come as their text", arguments: TestServer.available)
    func texts(_ server: TestServer) async throws {
        try await server.withPool { pool in
            try await pool.withConnection { db in
                try db.simple(
                    """
                    CREATE TABLE t (a VARCHAR(100), b CHAR(3), c DATETIME(6), d DATE, e TIME(3), f ENUM('x', 'y'), g JSON,
                    h BIT(9), i SET('p', 'q'), j TEXT) CHARACTER SET utf8mb4 ENGINE=InnoDB
                    """)
                try db.execute(
                    "INSERT INTO t VALUES (?, ?, ?, ?, ?, ?, ?, b'100000001', ?, ?)",
                    [
                        "žluťoučký 🐎 \u{0}", "abc", "2024-02-29 23:59:59.123456", "0999-12-31", "-838:59:59.000", "y",
                        "{\"a\": [1]}", "p,q", "",
                    ])
                let row = try #require(try db.query("SELECT * FROM t").first)
                #expect(try row.text(0) == "žluťoučký 🐎 \u{0}")
                #expect(try row.text(1) == "abc")
                #expect(try row.text(2) == "2024-02-29 23:59:59.123456")
                #expect(try row.text(3) == "0999-12-31")
                #expect(try row.text(4) == "-838:59:59.000")
                #expect(try row.text(5) == "y")
                #expect(try row.text(6) == "{\"a\": [1]}")
                #expect(try row.bytes(7) == [1, 1])
                #expect(try row.text(8) == "p,q")
                #expect(try row.text(9) == "")
            }
        }
    }

    @Test("a procedure's results leave the connection in order", arguments: TestServer.available)
    func procedures(_ server: TestServer) async throws {
        try await server.withPool { pool in
            try await pool.withConnection { db in
                try db.simple("CREATE PROCEDURE two() BEGIN SELECT 1; SELECT 2, 3; END")
                try db.simple("CALL two()")
                #expect(try db.simpleRows("CALL two()").map { try $0.int(0) } == [1])
                #expect(try db.query("CALL two()").map { try $0.int(0) } == [1])
                #expect(try db.execute("DO 1").affectedRows == 0)
                #expect(try db.query("DO 1").isEmpty)
                #expect(try db.query("SELECT 4").map { try $0.int(0) } == [4])
            }
        }
    }

    @Test("who serves is told", arguments: TestServer.available)
    func versions(_ server: TestServer) async throws {
        try await server.withPool { pool in
            let (info, identity, thread) = try await pool.withConnection { ($0.server, $0.serverIdentity, $0.threadID) }
            #expect(info.kind == (server == .mariaDB ? .mariaDB : .mySQL))
            #expect(info.isAtLeast(8, 0))
            #expect(!info.isAtLeast(99, 0))
            #expect(info.version.count == 3)
            #expect(!identity.isEmpty)
            #expect(thread > 0)
        }
    }

    @Test("an error has its code, state and statement")
    func errors() async throws {
        for server in TestServer.available {
            try await server.withPool { pool in
                try await pool.withConnection { db in
                    let syntax = #expect(throws: MariaDBError.self) { try db.query("SELEC ?", [1]) }
                    #expect(syntax?.code == 1064)
                    #expect(syntax?.sqlState == "42000")
                    #expect(syntax?.statement == "SELEC ?")
                    #expect(syntax?.isRetriable == false)
                    #expect(syntax?.isConnectionLost == false)
                    let text = #expect(throws: MariaDBError.self) { try db.simple("SELECT * FROM nowhere") }
                    #expect(text?.code == 1146)
                    try db.simple("CREATE TABLE t (a VARCHAR(3) NOT NULL, PRIMARY KEY (a)) ENGINE=InnoDB")
                    try db.execute("INSERT INTO t VALUES (?)", ["a"])
                    let duplicate = #expect(throws: MariaDBError.self) {
                        try db.execute("INSERT INTO t VALUES (?)", ["a"])
                    }
                    #expect(duplicate?.isDuplicateKey == true)
                    let long = #expect(throws: MariaDBError.self) {
                        try db.execute("INSERT INTO t VALUES (?)", ["abcd"])
                    }
                    #expect(long?.isDataError == true)
                    let null = #expect(throws: MariaDBError.self) { try db.execute("INSERT INTO t VALUES (?)", [nil]) }
                    #expect(null?.isDataError == true)
                    try db.simple("SET SESSION TRANSACTION READ ONLY")
                    let readOnly = #expect(throws: MariaDBError.self) {
                        try db.execute("INSERT INTO t VALUES (?)", ["b"])
                    }
                    #expect(readOnly?.isReadOnly == true)
                    #expect(try db.query("SELECT a FROM t").count == 1)
                }
            }
        }
    }
}
