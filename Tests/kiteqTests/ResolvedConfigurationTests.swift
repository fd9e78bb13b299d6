import Foundation
import KiteQBroker
import KiteQCore
import Testing

@testable import kiteq

@Suite struct ResolvedConfigurationTests {
    private func resolved(_ settings: String...) throws -> BrokerConfiguration {
        let flags = settings.map { setting in
            let equals = setting.firstIndex(of: "=") ?? setting.endIndex
            return ConfigurationLoader.Flag(
                "--set", String(setting[..<equals]), String(setting[setting.index(after: equals)...]))
        }
        return try ConfigurationLoader(flags: flags).load().resolvedBroker()
    }

    private func mistake(_ settings: String...) -> CommandError? {
        #expect(throws: CommandError.self) {
            let flags = settings.map { setting in
                let equals = setting.firstIndex(of: "=") ?? setting.endIndex
                return ConfigurationLoader.Flag(
                    "--set", String(setting[..<equals]), String(setting[setting.index(after: equals)...]))
            }
            return try ConfigurationLoader(flags: flags).load().resolvedBroker()
        }
    }

    @Test func theDefaultsAreTheBrokersOwn() throws {
        let broker = try resolved("broker.topics=a")
        let defaults = BrokerConfiguration()
        #expect(broker.topicDefaults.redelivery == RedeliverySchedule())
        #expect(broker.transactions == TransactionSchedule())
        #expect(broker.idleTimeout == defaults.idleTimeout)
        #expect(broker.bindPort == 13_800)
        #expect(broker.access == AccessRules())
    }

    @Test func aScheduleIsPutTogether() throws {
        let broker = try resolved(
            "broker.topics=a", "delivery.immediate_attempts=2", "delivery.retry_steps=5=1s,9=2s",
            "delivery.retry_beyond=3s",
            "transactions.first_check=1s", "transactions.longest_check=2s", "transactions.max_checks=3")
        #expect(broker.topicDefaults.redelivery.wait(afterAttempts: 4) == 1_000)
        #expect(broker.topicDefaults.redelivery.wait(afterAttempts: 8) == 2_000)
        #expect(broker.topicDefaults.redelivery.wait(afterAttempts: 9) == 3_000)
        #expect(broker.topicDefaults.redelivery.immediate == 2)
        #expect(broker.transactions == TransactionSchedule(firstAfter: 1_000, longest: 2_000, maxChecks: 3))
    }

    @Test func whatDoesNotFitTogetherIsASentence() {
        #expect(mistake("log.level=info")?.status == .usage)
        #expect(mistake("log.level=info")?.description.hasPrefix("no topics to serve") == true)
        #expect(mistake("broker.topics=a", "broker.bind=0.0.0.0:13800")?.status == .usage)
        #expect(
            mistake("broker.topics=a", "delivery.immediate_attempts=10")?.description
                .hasPrefix("delivery.immediate_attempts and delivery.retry_steps do not fit: ") == true)
        #expect(
            mistake("broker.topics=a", "transactions.first_check=10m")?.description
                == "transactions.longest_check must be at least transactions.first_check")
    }

    @Test func secretsComeFromOptionsAndFiles() throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("kiteq-\(UUID().uuidString)")
        try SecretText.write("hush\n", to: file.path)
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: file) } }
        let broker = try resolved(
            "broker.topics=a", "groups.secrets=s-a=one,s-b=two=2", "groups.secret_files=s-c=\(file.path)",
            "groups.require_secret=true")
        #expect(
            broker.access == AccessRules(plain: ["s-a": "one", "s-b": "two=2", "s-c": "hush"], requiresSecret: true))
        #expect(
            mistake("broker.topics=a", "groups.secrets=g=one", "groups.secret_files=g=\(file.path)")?.description
                == "group g has a secret in groups.secrets and in groups.secret_files; give one")
        #expect(
            mistake("broker.topics=a", "groups.secret_files=g=/does/not/exist")?.description
                == "the file /does/not/exist for the secret of group g cannot be read")
    }
}
