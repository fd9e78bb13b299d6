import KiteQCore
import Testing

@testable import KiteQRegistry

/// The lines of docs/threat-model.md about names that become paths.
@Suite struct ThreatModelTests {
    @Test(arguments: [
        "..", ".", "", "../../secret", "a/b", "/", "a/../../b", "\u{0}", "a\u{0}b", "a\nb", "\u{e000}", "trade🪁",
        String(repeating: "x", count: 256),
    ])
    func aNameIsOneStepOfAPathOrRefused(name: String) {
        #expect(throws: RegistryError.self) { try ZooKeeperPaths.check(name, "topic") }
    }

    @Test(arguments: ["...", "a..b", "-bind", "a b", "日本語", "%2e%2e%2f"])
    func otherNamesStayWhereTheyAre(name: String) throws {
        try ZooKeeperPaths.check(name, "topic")
        let topic = ZooKeeperPaths().bindings("trade")
        #expect(ZooKeeperPaths.parent(of: "\(topic)/\(name)") == topic)
    }
}
