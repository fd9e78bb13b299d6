extension MariaDBConnection {
    /// Which product the server is, by its texts and by what it alone has.
    ///
    /// Five statements: for a program that begins, not for each connection, for which the texts must do.
    /// - Throws: `MariaDBError` where the server is lost meanwhile, or says not even its version.
    public func product() throws -> ServerProduct {
        let names = ServerProduct.tellingVariables.keys.sorted()
        let list = names.map { "'\($0)'" }.joined(separator: ", ")
        var tells: Set<ServerProduct.Tell> = []
        for row in try answer("SHOW GLOBAL VARIABLES WHERE Variable_name IN (\(list))") {
            tells.insert(.variable(try row.text(0).lowercased()))
        }
        if try !answer("SELECT tidb_version()").isEmpty { tells.insert(.tidbVersion) }
        if try !answer("SHOW VITESS_SHARDS").isEmpty { tells.insert(.vitessShards) }
        let comment = try answer("SELECT @@version_comment").first?.optionalBytes(0) ?? []
        return ServerProduct(
            version: try simpleRows("SELECT VERSION()").first?.text(0) ?? "",
            comment: String(decoding: comment, as: UTF8.self), tells: tells)
    }

    /// No rows where the server does not know the statement: that is an answer, too.
    private func answer(_ sql: String) throws -> [MariaDBRow] {
        do {
            return try simpleRows(sql)
        } catch let error as MariaDBError where !error.isConnectionLost {
            return []
        }
    }
}
