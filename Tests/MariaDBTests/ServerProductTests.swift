@testable import MariaDB
import Testing

/// Products that speak MySQL's protocol, by what they say of themselves.
@Suite struct ServerProductTests {
    @Test(
        arguments: [
            ("10.11.19-MariaDB-0+deb12u1", "Debian 12", ServerProduct.mariaDB),
            ("5.5.5-10.6.22-MariaDB-log", "", .mariaDB),
            ("9.7.0", "MySQL Community Server - GPL", .mySQL),
            ("8.4.3-commercial", "MySQL Enterprise Server - Commercial", .mySQL),
            ("8.0.36-28", "Percona Server (GPL), Release 28, Revision 47601f19", .mySQL),
            ("8.0.36-28.1", "Percona XtraDB Cluster (GPL), Release rel28", .perconaXtraDBCluster),
            ("8.0.11-TiDB-v8.5.1", "TiDB Server (Apache License 2.0) Community Edition, MySQL 8.0 compatible", .tiDB),
            ("5.7.25-TiDB-v6.1.0", "", .tiDB),
            ("8.0.30-Vitess", "Version: 19.0.3 (Git revision 0123456789)", .vitess),
            ("8.0.30-vitess-22.0.0", "", .vitess),
            ("5.7.25-OceanBase_CE-v4.2.1.0", "OceanBase_CE 4.2.1.0", .oceanBase),
            (
                "5.7.32", "SingleStoreDB source distribution (compatible; MySQL Enterprise & MySQL Commercial)",
                .singleStore
            ),
            ("5.5.58", "MemSQL source distribution (compatible; MySQL Enterprise & MySQL Commercial)", .singleStore),
            ("8.0.33", "Dolt", .dolt),
        ])
    func byItsTexts(version: String, comment: String, product: ServerProduct) {
        #expect(ServerProduct(version: version, comment: comment) == product)
    }

    /// A setting gives TiDB and Vitess the texts of a MySQL.
    @Test(
        arguments: [
            (ServerProduct.Tell.tidbVersion, ServerProduct.tiDB), (.variable("tidb_txn_mode"), .tiDB),
            (.vitessShards, .vitess),
            (.variable("memsql_version"), .singleStore), (.variable("aurora_version"), .aurora),
            (.variable("pxc_strict_mode"), .perconaXtraDBCluster), (.variable("ob_query_timeout"), .oceanBase),
            (.variable("version"), .mySQL),
        ])
    func byWhatItAloneHas(tell: ServerProduct.Tell, product: ServerProduct) {
        let found = ServerProduct(version: "8.0.36", comment: "MySQL Community Server - GPL", tells: [tell])
        #expect(found == product)
    }

    @Test func eachIsTriedOrWarnedOfOrRefused() {
        for product in ServerProduct.allCases {
            switch product {
            case .mariaDB, .mySQL: #expect(product.refusal == nil && product.caution == nil)
            case .tiDB, .vitess, .singleStore:
                #expect(product.refusal?.contains(product.rawValue) == true && product.caution == nil)
                #expect(product.refusal?.contains("docs/databases.md") == true)
            case .perconaXtraDBCluster, .aurora, .oceanBase, .dolt:
                #expect(product.refusal == nil && product.caution?.contains(product.rawValue) == true)
            }
        }
    }

    @Test(arguments: TestServer.available) func realServersAreWhatTheyAre(kind: TestServer) async throws {
        try await kind.withPool { pool in
            let product = try await pool.withConnection { try $0.product() }
            #expect(product == (kind == .mariaDB ? .mariaDB : .mySQL))
        }
    }
}
