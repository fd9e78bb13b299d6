import Foundation
import KiteQCore
import KiteQWire
import NIOCore
import Synchronization
import Testing

@testable import KiteQ

/// What a broker that is hostile, or broken, can do to our client.
@Suite(.timeLimit(.minutes(2))) struct HostileBrokerTests {
    private let subscriptions = [Subscription(topic: "trade", .messageType("paid"))]

    private func message(_ text: String = "x") -> OutgoingMessage {
        OutgoingMessage(topic: "trade", messageType: "paid", text: text)
    }

    private func failure(of body: () async throws -> Void) async throws -> KiteQError {
        try await #require(throws: KiteQError.self) { try await body() }
    }

    /// More than any window, and more than memory is for it: it is read only as long as there is room.
    @Test func whoSendsWithoutEndIsNotReadWithoutEnd() async throws {
        let extensions = ConnAuthAck.Extensions(capabilities: [.extend], deliveryTimeoutMilliseconds: 300)
        try await FakeBroker.serving(.init(extensions: extensions)) { broker, address in
            let isOpen = Mutex(false)
            let arrived = Arrivals<Int>()
            let waiting = Arrivals<Void>()
            let consumer = try Consumer(
                KiteQConfiguration(group: "s-member", discovery: .brokers([address])), subscriptions: subscriptions,
                concurrency: 1
            ) { message in
                if !isOpen.withLock({ $0 }) { _ = await waiting.next(1) }
                arrived.yield(message.body.string.utf8.count)
            }
            try await running([consumer]) {
                _ = try await broker.nextGreeting()
                let text = String(repeating: "x", count: 256 << 10)
                for opaque in 1...400 as ClosedRange<Int32> { try broker.deliver(text, opaque: opaque) }
                // What it has in its hands is told again and again; it has stopped to read when that is the same twice.
                var (before, told): (Set<UInt32>, Set<UInt32>) = ([0], [])
                while told != before {
                    before = told
                    told = Set(try DeliverExtend(decoding: try await broker.next(.deliverExtend).body).opaques)
                }
                #expect(told.count >= 128 && told.count < 200)
                #expect(try await broker.unsent > 40 << 20)
                isOpen.withLock { $0 = true }
                waiting.yield(())
                #expect(await arrived.next(400).allSatisfy { $0 == 256 << 10 }, "and all of it comes in the end")
            }
        }
    }

    @Test func whoReadsNothingIsNotWrittenToWithoutEnd() async throws {
        try await FakeBroker.serving(.init(isDeaf: true)) { broker, address in
            var configuration = KiteQConfiguration(group: "p-pay", discovery: .brokers([address]))
            configuration.publishTimeout = .seconds(60)
            let producer = try Producer(configuration, topics: ["trade"])
            try await running([producer]) {
                _ = try await broker.nextGreeting()
                let text = String(repeating: "x", count: 1 << 20)
                let first = await withTaskGroup(of: KiteQError?.self) { publishes in
                    for _ in 0..<80 {
                        publishes.addTask {
                            do {
                                try await producer.publish(message(text))
                                return nil
                            } catch {
                                return error as? KiteQError
                            }
                        }
                    }
                    let first = await publishes.next()
                    // The others are ended by the broker's going.
                    broker.hangUp()
                    return first.flatMap { $0 }
                }
                #expect(first?.code == .notConnected && first?.message.contains("nothing of this was sent") == true)
            }
        }
    }

    /// It asks and asks, and reads no answer.
    @Test func whoAsksWithoutEndIsNotAnsweredWithoutEnd() async throws {
        try await FakeBroker.serving(.init(isDeaf: true)) { broker, address in
            let asked = Arrivals<String>()
            var configuration = KiteQConfiguration(group: "p-pay", discovery: .brokers([address]))
            configuration.publishTimeout = .seconds(60)
            let producer = try Producer(configuration, topics: ["trade"]) { check in
                asked.yield(check.messageID)
                return .commit
            }
            try await running([producer]) {
                _ = try await broker.nextGreeting()
                for opaque in 1...80 as ClosedRange<Int32> {
                    try broker.ask(headerOf: 1 << 20, opaque: opaque)
                    _ = await asked.next(1)
                }
                try await broker.hear()
                // Behind all answers, once they are gone.
                var isSent = false
                while !isSent {
                    do {
                        try await producer.publish(message())
                        isSent = true
                    } catch let error as KiteQError where error.code == .notConnected {
                        await Task.yield()
                    }
                }
                var answers = 0
                for await packet in broker.packets {
                    if packet.header.command.isMessage { break }
                    if packet.header.command == .txAck { answers += 1 }
                }
                #expect((10..<60).contains(answers), "\(answers)")
            }
        }
    }

    /// It delivers and delivers, and reads no answer: a consumer leaves it after a while. When it is not read is told by UnsentAnswersTests.
    @Test func whoDoesNotReadItsAnswersIsLeft() async throws {
        try await FakeBroker.serving(.init(isDeaf: true, receiveBytes: 64 << 10)) { broker, address in
            var configuration = KiteQConfiguration(group: "s-member", discovery: .brokers([address]))
            configuration.heartbeatInterval = .milliseconds(500)
            let consumer = try Consumer(configuration, subscriptions: subscriptions) { _ in }
            try await running([consumer]) {
                _ = try await broker.nextGreeting()
                // The answer to each repeats its topic. What the system holds of them between the two is some MiB at most.
                let topic = String(repeating: "t", count: 100 << 10)
                for opaque in 1...100 as ClosedRange<Int32> { try broker.deliver("x", topic: topic, opaque: opaque) }
                _ = try await broker.nextGreeting()
            }
        }
    }

    @Test func fewQuestionsAreAskedOfAnApplicationAtATime() async throws {
        let most = 64
        try await FakeBroker.serving { broker, address in
            let checks = Checks()
            let producer = try Producer(
                KiteQConfiguration(group: "p-pay", discovery: .brokers([address])), topics: ["trade"]
            ) { _ in
                await checks.run()
                return .commit
            }
            try await running([producer]) {
                _ = try await broker.nextGreeting()
                for opaque in 1...200 as ClosedRange<Int32> { try broker.ask(headerOf: 10, opaque: opaque) }
                // Its ack comes behind all questions, so they are all here.
                try await producer.publish(message())
                await checks.begun(most)
                for _ in 0..<200 {
                    checks.finishOne()
                    _ = try await broker.next(.txAck)
                }
                #expect(checks.most == most)
            }
        }
    }

    /// Checks that run until they are told to end.
    private final class Checks: Sendable {
        private struct State {
            var running: [CheckedContinuation<Void, Never>] = []
            var most = 0
            var ends = 0
        }

        private let state = Mutex(State())
        private let beginnings = Arrivals<Void>()

        var most: Int { state.withLock { $0.most } }

        func run() async {
            await withCheckedContinuation { continuation in
                let isToEnd = state.withLock { state in
                    state.most = max(state.most, state.running.count + 1)
                    guard state.ends == 0 else {
                        state.ends -= 1
                        return true
                    }
                    state.running.append(continuation)
                    return false
                }
                beginnings.yield(())
                if isToEnd { continuation.resume() }
            }
        }

        func begun(_ count: Int) async { _ = await beginnings.next(count) }

        /// One that runs, or the next that begins.
        func finishOne() {
            let first = state.withLock { state -> CheckedContinuation<Void, Never>? in
                guard !state.running.isEmpty else {
                    state.ends += 1
                    return nil
                }
                return state.running.removeFirst()
            }
            first?.resume()
        }
    }

    @Test func anAckOfAnotherMessageIsNone() async throws {
        try await FakeBroker.serving(.init(acknowledgedID: String(repeating: "f", count: 32))) { broker, address in
            let producer = try Producer(
                KiteQConfiguration(group: "p-pay", discovery: .brokers([address])), topics: ["trade"])
            try await running([producer]) {
                let error = try await failure { try await producer.publish(message()) }
                #expect(error.code == .outcomeUnknown && error.message.contains("another message"))
                let results = await producer.publish(contentsOf: [message(), message()])
                for result in results {
                    #expect(throws: KiteQError.self) { try result.get() }
                }
                // The digits may be of either case.
                broker.behave { $0.acknowledgedID = nil }
                var shouted = message()
                shouted.id = shouted.id.uppercased()
                var id: String?
                while id == nil {
                    // The connection that was ended may still be at hand.
                    do { id = try await producer.publish(shouted).messageID } catch let error as KiteQError {
                        try #require(error.code == .notConnected)
                        await Task.yield()
                    }
                }
                #expect(id?.lowercased() == shouted.id.lowercased())
            }
        }
    }

    @Test func nothingIsTakenBeforeTheWelcome() async throws {
        let early = try FakeBroker.delivery("early", opaque: 1)
        try await FakeBroker.serving(.init(beforeWelcome: early)) { broker, address in
            let arrived = Arrivals<String>()
            var configuration = KiteQConfiguration(group: "s-member", discovery: .brokers([address]))
            configuration.minBackoff = .milliseconds(1)
            let consumer = try Consumer(configuration, subscriptions: subscriptions) { arrived.yield($0.body.string) }
            try await running([consumer]) {
                for _ in 0..<2 { _ = try await broker.nextGreeting() }
                broker.behave { $0.beforeWelcome = ByteBuffer() }
                _ = try await broker.nextGreeting()
                try broker.deliver("right", opaque: 1)
                #expect(await arrived.next(1) == ["right"])
            }
        }
    }

    @Test func whoWelcomesAndLeavesIsLeftAlone() async throws {
        try await FakeBroker.serving(.init(closesAfterWelcome: true)) { broker, address in
            var configuration = KiteQConfiguration(group: "s-member", discovery: .brokers([address]))
            configuration.minBackoff = .milliseconds(50)
            let consumer = try Consumer(configuration, subscriptions: subscriptions) { _ in }
            try await running([consumer]) {
                var times: [ContinuousClock.Instant] = []
                for _ in 0..<6 {
                    _ = try await broker.nextGreeting()
                    times.append(.now)
                }
                // 50, 100, 200, 400 and 800 ms, at least half of each.
                #expect(times[5] - times[4] >= .milliseconds(400))
            }
        }
    }

    @Test func aSecretIsNotShownToWhomeverTheRegistryNames() async throws {
        #expect(throws: KiteQError.self) {
            try Producer(
                KiteQConfiguration(group: "p-pay", secret: "s3cret", discovery: .brokers(["192.0.2.1:13800"])),
                topics: ["trade"])
        }
        let file = FileManager.default.temporaryDirectory.appending(path: "kiteq-\(UUID().uuidString).yaml")
        try Data("brokers:\n  - address: \"192.0.2.1:13800\"\n    topics: [\"trade\"]\nbindings: []\n".utf8).write(
            to: file)
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: file) } }
        var configuration = KiteQConfiguration(group: "p-pay", secret: "s3cret", discovery: .file(file.path))
        configuration.publishTimeout = .seconds(3)
        let producer = try Producer(configuration, topics: ["trade"])
        try await running([producer]) {
            let error = try await failure { try await producer.publish(message()) }
            #expect(
                error.code == .notConnected && error.message.contains("is not sent to 192.0.2.1:13800 in plain text"))
            #expect(!error.message.contains("s3cret"))
        }
    }
}
