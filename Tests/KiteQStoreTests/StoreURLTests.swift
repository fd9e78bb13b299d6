import MariaDB
import Testing

@testable import KiteQStore

@Suite struct StoreURLTests {
    @Test func everythingIsRead() throws {
        let configuration = try MySQLStoreURL.configuration(
            "mysql://kite:p%40ss%3A@db1:3307,db2/kite?shards=3&connections=9&tls=verified&ca=/etc/ca.pem&readTimeout=7")
        #expect(configuration.shards.map(\.database) == ["kite_0", "kite_1", "kite_2"])
        #expect(configuration.shards[0].servers == [.tcp(host: "db1", port: 3307), .tcp(host: "db2", port: 3306)])
        #expect(configuration.shards[0].password == "p@ss:" && configuration.connectionsPerShard == 9)
        #expect(configuration.shards[0].tls == .verified(caFile: "/etc/ca.pem"))
        #expect(configuration.shards[0].readTimeout == .seconds(7))
        #expect(
            try MySQLStoreURL.configuration("mysql://k@[::1]:33/x", password: "given").shards[0].password == "given")
    }

    @Test(arguments: [
        "postgres://k:hidden@h/kite", "mysql://h/kite", "mysql://k:hidden@h", "mysql://k:hidden@/kite",
        "mysql://k:hidden@h:99999/kite", "mysql://k:hidden@h/kite;drop", "mysql://k:hidden@h/kite?shards=0",
        "mysql://k:hidden@h/kite?shards=257", "mysql://k:hidden@h/kite?what=1", "mysql://k:hidden@h/kite?tls=verified",
        "mysql://k:hidden@h/kite?tls=maybe", "mysql://k:hidden%zz@h/kite", "mysql://k:hidden@h/kite?connections=1",
        "mysql://k:hidden@h/kite?readTimeout=2",
    ])
    func whatCannotBeReadIsSaidWithoutThePassword(url: String) {
        let error = #expect(throws: MySQLStoreURL.Invalid.self) { try MySQLStoreURL.configuration(url) }
        #expect(error?.description.contains("hidden") == false)
        #expect(error.map { $0.description.count > 20 } == true)
    }
}
