import ArgumentParser
import KiteQBroker
import KiteQCore
import Logging
import Testing

@testable import kiteq

@Suite struct CommandLineTests {
    @Test func serveTakesItsFlags() throws {
        let command = try ServeCommand.parse([
            "--bind", "a:1", "--admin", "b:2", "--advertise", "c:3", "--name", "n", "--store", "memory://",
            "--registry",
            "file://x", "--topics", "t,u", "--log-level", "debug", "--set", "delivery.window=9",
        ])
        let configuration = try command.options.loader(environment: [:]).load()
        #expect(configuration.bind == Endpoint(host: "a", port: 1))
        #expect(configuration.admin == Endpoint(host: "b", port: 2))
        #expect(configuration.broker.advertised?.description == "c:3")
        #expect(configuration.name == "n")
        #expect(configuration.store.url == "memory://")
        #expect(configuration.registry.url == "file://x")
        #expect(configuration.topics == ["t", "u"])
        #expect(configuration.log.level == .debug)
        #expect(configuration.broker.delivery.window == 9)
    }

    @Test(arguments: [
        (["--topic", "t", "--type", "x"], MessageSource.text("hello from kiteq", count: 1)),
        (["--topic", "t", "--type", "x", "body", "--count", "3"], .text("body", count: 3)),
        (["--topic", "t", "--type", "x", "--size", "5"], .generated(size: 5, count: 1)),
        (["--topic", "t", "--type", "x", "-"], .standardInput),
    ])
    func publishKnowsWhatToSend(arguments: [String], source: MessageSource) throws {
        #expect(try PublishArguments.parse(arguments).source == source)
    }

    @Test(arguments: [
        [], ["--topic", "t"], ["--topic", "", "--type", "x"], ["--topic", "t", "--type", "x", "--count", "0"],
        ["--topic", "t", "--type", "x", "--size", "-1"], ["--topic", "t", "--type", "x", "--size", "3000000"],
        ["--topic", "t", "--type", "x", "--size", "1", "body"], ["--topic", "t", "--type", "x", "-", "--count", "2"],
        ["--topic", "t", "--type", "x", "--half"], ["--topic", "t", "--type", "x", "--commit"],
        ["--topic", "t", "--type", "x", "--half", "--commit", "--rollback"],
        ["--topic", "t", "--type", "x", "--half", "--commit", "--fly"],
        ["--topic", "t", "--type", "x", "--property", "novalue"], ["--topic", "t", "--type", "x", "--expire", "0"],
    ])
    func publishRefusesWhatMakesNoSense(arguments: [String]) {
        #expect(throws: (any Error).self) { try PublishArguments.parse(arguments) }
    }

    @Test func publishReadsPropertiesAndTheEnding() throws {
        let arguments = try PublishArguments.parse([
            "--topic", "t", "--type", "x", "--half", "--forget", "--property", "a=1", "--property", "b=x=y",
        ])
        #expect(arguments.ending == .forget)
        #expect(try arguments.properties == ["a": "1", "b": "x=y"])
    }

    @Test(arguments: [
        (["--type", "x"], Binding(group: "g", topic: "t", messageType: "x")),
        (["--regx", "^x"], Binding(group: "g", topic: "t", messageType: "^x", kind: .regx)),
        (["--fanout", "--transient"], .fanout(group: "g", topic: "t", watermark: 0, persistent: false)),
        (["--type", "x", "--watermark", "7"], Binding(group: "g", topic: "t", messageType: "x", watermark: 7)),
    ])
    func consumeMakesItsBinding(arguments: [String], binding: Binding) throws {
        #expect(try ConsumeArguments.parse(["--group", "g", "--topic", "t"] + arguments).binding == binding)
    }

    @Test(arguments: [
        [], ["--type", "x", "--fanout"], ["--type", "x", "--regx", "y"], ["--regx", "("],
        ["--type", "x", "--limit", "0"],
        ["--type", ""], ["--fanout", "--watermark", "-1"],
    ])
    func consumeRefusesWhatMakesNoSense(arguments: [String]) {
        #expect(throws: (any Error).self) { try ConsumeArguments.parse(["--group", "g", "--topic", "t"] + arguments) }
    }

    @Test func brokersAreFoundByFlagThenByVariable() throws {
        let one = try #require(BrokerAddress("a:1"))
        let two = try #require(BrokerAddress("b:2"))
        let environment = ["KITEQ_BROKERS": "a:1", "KITEQ_REGISTRY": "file://x"]
        #expect(
            try ClientArguments.parse(["--brokers", "a:1,b:2"]).discovery(environment: [:]) == .brokers([one, two]))
        #expect(
            try ClientArguments.parse(["--registry", "zk://h"]).discovery(environment: environment)
                == .registry("zk://h"))
        #expect(try ClientArguments.parse([]).discovery(environment: environment) == .brokers([one]))
        #expect(
            try ClientArguments.parse([]).discovery(environment: ["KITEQ_REGISTRY": "file://x"])
                == .registry("file://x"))
        #expect(throws: CommandError.self) { try ClientArguments.parse([]).discovery(environment: [:]) }
        #expect(throws: CommandError.self) {
            try ClientArguments.parse(["--brokers", "a"]).discovery(environment: [:])
        }
        #expect(throws: CommandError.self) {
            try ClientArguments.parse(["--brokers", "a:1", "--registry", "zk://h"]).discovery(environment: [:])
        }
    }

    @Test func generatedBodiesHaveTheirSize() {
        for size in [0, 1, 2, 36, 37, 38, 1_000] {
            #expect(MessageSource.generated(size: size, count: 1).body(1)?.utf8.count == size)
        }
        #expect(MessageSource.generated(size: 9, count: 2).body(2)?.hasPrefix("2 ") == true)
        #expect(MessageSource.generated(size: 9, count: 2).body(3) == nil)
    }
}
