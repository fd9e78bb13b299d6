import Foundation
import KiteQStore
import Logging
import MariaDB
import Testing

@testable import kiteq

@Suite struct StoreFactoryTests {
    private func configuration(_ change: (inout StoreOptions) -> Void) throws -> MySQLStoreConfiguration {
        var options = StoreOptions(url: "mysql://kiteq@db:3307/kite?shards=2")
        change(&options)
        return try StoreFactory.mysql(options)
    }

    private func mistake(_ change: (inout StoreOptions) -> Void) -> String {
        let error = #expect(throws: CommandError.self) { try configuration(change) }
        return error?.description ?? ""
    }

    @Test func theOptionsReachEveryShard() throws {
        let configuration = try configuration {
            $0.password = "hush"
            $0.tls = .verified
            $0.tlsCA = "/ca.pem"
            $0.connections = 9
            $0.waitTimeout = .seconds(1)
            $0.connectTimeout = .seconds(2)
            $0.readTimeout = .seconds(3)
            $0.writeTimeout = .seconds(4)
            $0.durability = .refuse
            $0.lease = .seconds(20)
        }
        #expect(configuration.shards.map(\.database) == ["kite_0", "kite_1"])
        for shard in configuration.shards {
            #expect(shard.servers == [.tcp(host: "db", port: 3307)])
            #expect(shard.password == "hush")
            #expect(shard.tls == .verified(caFile: "/ca.pem"))
            #expect(shard.connectTimeout == .seconds(2))
            #expect(shard.readTimeout == .seconds(3))
            #expect(shard.writeTimeout == .seconds(4))
        }
        #expect(configuration.connectionsPerShard == 9)
        #expect(configuration.waitTimeout == .seconds(1))
        #expect(configuration.durability == .refuse)
        #expect(configuration.lease == .seconds(20))
    }

    @Test func whatTheURLSaysWins() throws {
        let configuration = try configuration {
            $0.url = "mysql://kiteq:own@db/kite?connections=7&tls=required&connectTimeout=8"
            $0.password = "hush"
            $0.tls = .off
            $0.connections = 9
        }
        #expect(configuration.shards.count == 1)
        #expect(configuration.shards[0].password == "own")
        #expect(configuration.shards[0].tls == .required)
        #expect(configuration.shards[0].connectTimeout == .seconds(8))
        #expect(configuration.connectionsPerShard == 7)
    }

    @Test func shardsMayBeOnSeveralServers() throws {
        let configuration = try configuration {
            $0.url = ""
            $0.shards = ["mysql://kiteq@db1/kite_0", "mysql://other@db2:3307/kite_1?tls=required"]
            $0.password = "hush"
        }
        #expect(configuration.shards.map(\.database) == ["kite_0", "kite_1"])
        #expect(
            configuration.shards.map(\.servers) == [[.tcp(host: "db1", port: 3306)], [.tcp(host: "db2", port: 3307)]])
        #expect(configuration.shards.map(\.user) == ["kiteq", "other"])
        #expect(configuration.shards.map(\.password) == ["hush", "hush"])
        #expect(configuration.shards.map(\.tls) == [.off, .required])
    }

    @Test func thePasswordMayComeFromAFile() throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("kiteq-\(UUID().uuidString)")
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: file) } }
        for (text, password) in [("hush", "hush"), ("hush\n", "hush"), ("hush\r\n", "hush"), (" a b ", " a b ")] {
            try SecretText.write(text, to: file.path)
            #expect(try configuration { $0.passwordFile = file.path }.shards[0].password == password)
        }
        for text in ["", "\n", "two\nlines"] {
            try SecretText.write(text, to: file.path)
            #expect(mistake { $0.passwordFile = file.path }.hasSuffix("for the store's password must hold one line"))
        }
        #expect(mistake { $0.passwordFile = "/does/not/exist" }.hasSuffix("for the store's password cannot be read"))
    }

    @Test func mistakesAreSentencesWithoutPasswords() {
        #expect(mistake { $0.url = "" }.hasPrefix("no store: "))
        #expect(mistake { $0.url = "redis://x" }.contains("mysql://"))
        #expect(
            mistake { $0.tls = .verified }
                == "store.tls = verified needs store.tls_ca, the file with the certificates to trust")
        #expect(mistake { $0.tlsCA = "/ca.pem" } == "store.tls_ca is for store.tls = verified")
        #expect(
            mistake { $0.shards = ["mysql://kiteq@db1/kite?shards=2"] }
                == "a URL in store.shards is one shard: it takes no shards=N")
        for url in [
            "mysql://u:hush@/kite", "mysql://u:hush@h:x/kite", "mysql://u:hush@h/kite?nope=1", "mysql://u:hush@h",
        ] {
            #expect(!mistake { $0.url = url }.contains("hush"))
        }
    }
}
