import MariaDB

/// Reads `mysql://user:password@host:port[,host:port]/database?shards=4&connections=6&tls=off|required|verified&ca=FILE`, and
/// `connectTimeout`, `readTimeout` and `writeTimeout` in seconds.
///
/// Several hosts are the addresses of one database, each shard's: a primary and those that may become it. The one that takes
/// writes is used, whatever its place, until it fails or takes none any more; one name that leads to it, a proxy's or a DNS
/// entry, does as well. A port that is not given is 3306; an IPv6 address stands in brackets. With more than one shard the
/// databases are `database_0`, `database_1` and so on; with `shards=1` too, so that the number can be told from the names.
package struct MySQLStoreURL: Sendable {
    package struct Invalid: Error, CustomStringConvertible {
        package let description: String
    }

    /// - Parameter password: stands in where the URL has none.
    /// - Throws: `Invalid`, a sentence that never shows the password.
    package static func configuration(
        _ url: String, password: String? = nil
    ) throws(Invalid) -> MySQLStoreConfiguration {
        guard url.hasPrefix("mysql://") else {
            throw Invalid(description: "a store's URL begins with mysql:// or is memory://")
        }
        let (location, options) = split(url.dropFirst("mysql://".count), at: "?")
        let (authority, path) = split(location, at: "/")
        guard !path.isEmpty, path.utf8.allSatisfy({ isNameByte($0) }), path.utf8.count <= 48 else {
            throw Invalid(
                description:
                    "the store's URL names no database that can be used: letters, digits and _ after the host, as in mysql://user@127.0.0.1:3306/kite"
            )
        }
        let at = authority.lastIndex(of: "@")
        let credentials = at.map { authority[..<$0] } ?? ""
        let hosts = at.map { authority[authority.index(after: $0)...] } ?? authority[...]
        let (user, ownPassword) = split(credentials, at: ":")
        guard !user.isEmpty else {
            throw Invalid(description: "the store's URL names no user, as in mysql://kite@host:3306/kite")
        }
        var base = MariaDBConfiguration(
            servers: [], user: try decode(user),
            password: ownPassword.isEmpty ? password ?? "" : try decode(ownPassword))
        for host in hosts.split(separator: ",", omittingEmptySubsequences: false) {
            base.servers.append(try server(host))
        }

        var shards = 1
        var connections: Int?
        var caFile: String?
        var tls = "off"
        for option in options.split(separator: "&") {
            let (name, value) = split(option, at: "=")
            let decoded = try decode(value)
            switch name {
            case "shards": shards = try number(name, value, 1...256)
            case "connections": connections = try number(name, value, 3...256)
            case "tls": tls = decoded
            case "ca": caFile = decoded
            case "connectTimeout": base.connectTimeout = .seconds(try number(name, value, 1...3_600))
            case "readTimeout":
                base.readTimeout = .seconds(try number(name, value, MySQLStoreConfiguration.leastReadTimeout...3_600))
            case "writeTimeout": base.writeTimeout = .seconds(try number(name, value, 1...3_600))
            default:
                throw Invalid(
                    description:
                        "the store's URL has an unknown option \(name); there are shards, connections, tls, ca, connectTimeout, readTimeout and writeTimeout"
                )
            }
        }
        switch (tls, caFile) {
        case ("off", nil): base.tls = .off
        case ("required", nil): base.tls = .required
        case ("verified", let file?): base.tls = .verified(caFile: file)
        case ("verified", nil): throw Invalid(description: "tls=verified needs ca=FILE, the certificates to trust")
        default: throw Invalid(description: "tls is off, required, or verified with ca=FILE")
        }
        var configuration = MySQLStoreConfiguration(
            shards: (0..<shards).map { shard in
                var database = base
                database.database = "\(path)_\(shard)"
                return database
            })
        if let connections { configuration.connectionsPerShard = connections }
        return configuration
    }

    // MARK: Pieces

    private static func split(_ text: Substring, at separator: Character) -> (Substring, Substring) {
        guard let index = text.firstIndex(of: separator) else { return (text, "") }
        return (text[..<index], text[text.index(after: index)...])
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    private static func server(_ text: Substring) throws(Invalid) -> MariaDBConfiguration.Server {
        var host = text
        var port = 3306
        if let colon = text.lastIndex(of: ":"), !text.hasSuffix("]") {
            host = text[..<colon]
            port = try number("port", text[text.index(after: colon)...], 1...65_535)
        }
        if host.hasPrefix("[") && host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        guard !host.isEmpty else { throw Invalid(description: "the store's URL names no host") }
        return .tcp(host: String(host), port: port)
    }

    private static func number(
        _ name: Substring, _ value: Substring, _ range: ClosedRange<Int>
    ) throws(Invalid) -> Int {
        guard let number = Int(value), range.contains(number) else {
            throw Invalid(
                description: "\(name) in the store's URL is a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    private static func decode(_ text: Substring) throws(Invalid) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst(), let low = rest.popFirst(),
                let value = UInt8(String(decoding: [high, low], as: UTF8.self), radix: 16)
            else { throw Invalid(description: "a % in the store's URL is followed by two hexadecimal digits") }
            bytes.append(value)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
