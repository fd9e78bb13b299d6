import Foundation
import Logging
import Testing

@testable import KiteQCore
@testable import KiteQRegistry

@Suite(.timeLimit(.minutes(1)))
struct FileRegistryTests {
    private func text(_ type: String) -> String {
        """
        brokers:
          - {address: "localhost:13800", topics: [trade]}
        bindings:
          - {groupIds: [g], topic: trade, messageType: \(type)}
        """
    }

    private func withFile(_ body: (URL) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "kiteq-registry-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer {
            do { try FileManager.default.removeItem(at: folder) } catch { print("\(folder.path) stays: \(error)") }
        }
        try await body(folder.appending(path: "registry.yaml"))
    }

    @Test func followsTheFile() async throws {
        try await withFile { file in
            let (logger, log) = RecordingLogHandler.logger()
            try Data(text("a").utf8).write(to: file)
            try await running(FileRegistry(path: file.path, logger: logger)) { registry in
                let bindings = registry.bindings(of: ["trade"])
                let brokers = registry.brokers(of: "trade")
                #expect(try await first(in: bindings) == [Binding(group: "g", topic: "trade", messageType: "a")])
                #expect(try await first(in: brokers) == [BrokerAddress(host: "localhost", port: 13800)])
                #expect(await eventually(within: .seconds(5)) { registry.isConnected })
                // Written over, within a second.
                try Data(text("b").utf8).write(to: file)
                _ = try await first(in: bindings, within: .seconds(1)) { $0.map(\.messageType) == ["b"] }
                // Replaced, as editors do.
                let other = file.deletingLastPathComponent().appending(path: "new")
                try Data(text("c").utf8).write(to: other)
                #expect(rename(other.path, file.path) == 0)
                _ = try await first(in: bindings, within: .seconds(1)) { $0.map(\.messageType) == ["c"] }
                // Broken: what was stays, and one line says where.
                try Data((text("d") + "\n  - {groupIds: [g], topic: trade, bindType: x}\n").utf8).write(to: file)
                #expect(await eventually(within: .seconds(5)) { !registry.isConnected })
                #expect(try await first(in: registry.bindings(of: ["trade"])).map(\.messageType) == ["c"])
                let complaints = log.all.filter { $0.hasPrefix("error") }
                #expect(complaints.count == 1)
                #expect(complaints.first?.contains("line 5: the bindType 'x'") == true)
                #expect(complaints.first?.contains("stays in force") == true)
                // Emptied, deleted: the same.
                try Data().write(to: file)
                #expect(await eventually(within: .seconds(5)) { log.all.contains { $0.contains("is empty") } })
                try FileManager.default.removeItem(at: file)
                #expect(await eventually(within: .seconds(5)) { log.all.contains { $0.contains("is absent") } })
                #expect(try await first(in: registry.bindings(of: ["trade"])).map(\.messageType) == ["c"])
                // Good again.
                try Data(text("e").utf8).write(to: file)
                _ = try await first(in: bindings, within: .seconds(5)) { $0.map(\.messageType) == ["e"] }
                #expect(await eventually(within: .seconds(5)) { registry.isConnected })
            }
        }
    }

    @Test func waitsForAFileThatIsAbsentAtStart() async throws {
        try await withFile { file in
            let (logger, log) = RecordingLogHandler.logger()
            try await running(FileRegistry(path: file.path, logger: logger)) { registry in
                #expect(
                    await eventually(within: .seconds(5)) { log.all.contains { $0.contains("Nothing is known yet") } })
                #expect(!registry.isConnected)
                try Data(text("a").utf8).write(to: file)
                #expect(try await first(in: registry.bindings(of: ["trade"])).count == 1)
            }
        }
    }

    /// Cut between two items it is valid, and would unbind groups.
    @Test(arguments: ["...\n", "# end", "# end\n\n"])
    func aFileThatHadAnEndIsNotTakenWithoutIt(end: String) async throws {
        try await withFile { file in
            let (logger, log) = RecordingLogHandler.logger()
            let item = "\n  - {groupIds: [h], topic: trade, messageType: b}\n"
            try Data((text("a") + item + end).utf8).write(to: file)
            try await running(FileRegistry(path: file.path, logger: logger)) { registry in
                let bindings = registry.bindings(of: ["trade"])
                #expect(try await first(in: bindings).count == 2)
                try Data((text("c") + "\n").utf8).write(to: file)
                #expect(await eventually(within: .seconds(5)) { !registry.isConnected })
                #expect(log.all.contains { $0.contains("does not end with the line '...' as it did") })
                #expect(try await first(in: registry.bindings(of: ["trade"])).count == 2)
                try Data((text("d") + "\n...\n").utf8).write(to: file)
                _ = try await first(in: bindings, within: .seconds(5)) { $0.map(\.messageType) == ["d"] }
            }
        }
    }

    @Test func isNotWrittenTo() async throws {
        try await withFile { file in
            try Data(text("a").utf8).write(to: file)
            let registry = FileRegistry(path: file.path, logger: Logger(label: "test"))
            try await running(registry) { registry in
                try await registry.register(BrokerAddress(host: "h", port: 1), topics: ["other"])
                try await registry.announceProducer(group: "p", topics: ["trade"])
                try await registry.publish(
                    bindings: [Binding(group: "g", topic: "trade", messageType: "a")], of: "g")
                let error = await #expect(throws: RegistryError.self) {
                    try await registry.publish(
                        bindings: [Binding(group: "g", topic: "trade", messageType: "b")], of: "g")
                }
                #expect(error?.code == .unsupported)
                try await registry.unregister()
            }
            var ended = registry.bindings(of: ["trade"]).makeAsyncIterator()
            #expect(await ended.next() == nil)
            #expect(try String(contentsOf: file, encoding: .utf8) == text("a"))
        }
    }

    @Test(
        arguments: [
            ([1, 1, 1], [true, false, false]),
            ([1, 2, 3, 3, 3], [true, false, false, true, false]),
            ([1, nil, nil, nil, 1, 1], [true, false, true, false, false, true]),
            ([nil, nil, 1, 1], [true, false, false, true]),
            // There and back again is read too: it may have been written in the same instant with the same size.
            ([1, 2, 1, 1, 1], [true, false, false, true, false]),
        ] as [([Int?], [Bool])])
    func aChangeIsReadWhenItHasSettled(_ seen: [Int?], _ expected: [Bool]) {
        var watch = FileWatch<Int>()
        let reads = seen.map { watch.look($0) }
        #expect(reads == expected)
    }
}
