import Testing

@testable import KiteQCore
@testable import KiteQRegistry

@Suite struct RegistryConfigurationTests {
    private func servers(_ url: String) throws -> [String] {
        guard case .zooKeeper(let configuration) = try RegistryConfiguration(url: url) else { return [] }
        return configuration.servers
    }

    @Test func readsServers() throws {
        #expect(try servers("zk://h1:2181,h2:2182") == ["h1:2181", "h2:2182"])
        #expect(try servers("zk://h1,[::1],[::1]:99/") == ["h1:2181", "[::1]:2181", "[::1]:99"])
    }

    @Test func readsCredentialsAndKeepsThemToItself() throws {
        let url = "zk://kite:p@ss:word@h1:2181"
        guard case .zooKeeper(let configuration) = try RegistryConfiguration(url: url) else {
            Issue.record("another kind")
            return
        }
        #expect(configuration.digest == "kite:p@ss:word")
        #expect(configuration.servers == ["h1:2181"])
        #expect(try !"\(RegistryConfiguration(url: url))".contains("word"))
    }

    @Test func readsFiles() throws {
        #expect(try RegistryConfiguration(url: "file:///etc/kiteq/r.yaml") == .file(path: "/etc/kiteq/r.yaml"))
        #expect(try RegistryConfiguration(url: "file://conf/r.yaml") == .file(path: "conf/r.yaml"))
    }

    @Test(arguments: [
        ("", "The registry URL is not known"), ("h1:2181", "The registry URL is not known"),
        ("etcd://h1", "The scheme 'etcd' of the registry URL is not known"), ("file://", "names no file"),
        ("zk://", "the server ''"), ("zk://h1:2181,", "the server ''"), ("zk://h1:port", "the server 'h1:port'"),
        ("zk://h1:99999", "the server 'h1:99999'"), ("zk://h1:2181//kite", "a step without a name"),
        ("zk://h1/a/../b", "relative path"),
        ("zk://secret@h1", "no user:password"),
        ("zk://:secret@h1", "no user:password"), ("ZK://h1", "The scheme 'ZK'"),
    ])
    func refuses(_ url: String, _ clause: String) {
        let error = #expect(throws: RegistryError.self) { try RegistryConfiguration(url: url) }
        #expect(error?.code == .invalid)
        #expect(error?.message.contains(clause) == true, "\(error?.message ?? "")")
        #expect(error?.message.contains("secret") == false)
    }
}
