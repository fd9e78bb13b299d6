import KiteQCore
import NIOCore
import NIOPosix
import Testing

@testable import KiteQ

/// The client's rules, without a connection.
@Suite struct ClientRulesTests {
    private let start = ContinuousClock.now

    private func held(mayExtend: Bool) -> HeldDeliveries {
        var held = HeldDeliveries(timeout: .seconds(60), handlerTimeout: .seconds(20))
        held.agree(timeout: .seconds(5), mayExtend: mayExtend)
        return held
    }

    @Test func whatWaitedForTooLongIsNotBegun() {
        var held = held(mayExtend: false)
        for opaque in 1...3 as ClosedRange<Int32> { _ = held.receive(opaque, bytes: 100, now: start) }
        #expect(held.begin(1, now: start + .seconds(4)) == true)
        #expect(held.extend(now: start + .seconds(4)) == .init(), "this broker cannot be told")
        #expect(held.begin(2, now: start + .seconds(5)) == false)
        #expect(held.begin(9, now: start) == false, "it never came")
        #expect(held.count == 2)
        held.end(1)
        #expect(held.count == 1)
    }

    @Test func whatIsInHandIsKeptUp() {
        var held = held(mayExtend: true)
        for opaque in 1...2 as ClosedRange<Int32> { _ = held.receive(opaque, bytes: 100, now: start) }
        #expect(held.begin(1, now: start) == true)
        for second in stride(from: 2, through: 18, by: 2) {
            #expect(held.extend(now: start + .seconds(second)).opaques.sorted() == [1, 2])
        }
        #expect(held.begin(2, now: start + .seconds(19)) == true)
        #expect(
            held.extend(now: start + .seconds(20)) == .init(opaques: [2], overdue: 1),
            "its time begins with its handler")
        #expect(held.extend(now: start + .seconds(22)) == .init(opaques: [2], overdue: 0), "that is told once")
        held.end(2)
        #expect(held.extend(now: start + .seconds(24)).opaques == [])
    }

    /// The process stood still: what the broker has given up meanwhile is neither kept up nor begun.
    @Test func whatWasNotKeptUpInTimeIsLetGo() {
        var held = held(mayExtend: true)
        for opaque in 1...2 as ClosedRange<Int32> { _ = held.receive(opaque, bytes: 100, now: start) }
        #expect(held.extend(now: start + .seconds(1)).opaques.count == 2)
        #expect(held.extend(now: start + .seconds(6)).opaques == [])
        #expect(held.begin(1, now: start + .seconds(6)) == false)
    }

    /// A handler that hangs holds up what waits behind it; that goes to another consumer in the end.
    @Test func nothingWaitsForEver() {
        var held = held(mayExtend: true)
        _ = held.receive(1, bytes: 100, now: start)
        var now = start
        while !held.extend(now: now).opaques.isEmpty { now += .seconds(2) }
        #expect(now == start + .seconds(20))
        #expect(held.begin(1, now: now + .seconds(4)) == false)
    }

    @Test func aBrokerThatOwesAndIsSilentIsSuspect() {
        let responsiveness = Responsiveness(patience: .seconds(1))
        let begin = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
        responsiveness.heard(at: begin)
        #expect(!responsiveness.isSuspect(now: begin + .seconds(100)), "it owes nothing")
        responsiveness.owes(since: begin + .seconds(100))
        #expect(!responsiveness.isSuspect(now: begin + .milliseconds(100_999)))
        #expect(responsiveness.isSuspect(now: begin + .seconds(101)))
        responsiveness.heard(at: begin + .seconds(102))
        #expect(!responsiveness.isSuspect(now: begin + .milliseconds(102_999)), "it lives")
        #expect(responsiveness.isSuspect(now: begin + .seconds(103)))
        responsiveness.owes(since: nil)
        #expect(!responsiveness.isSuspect(now: begin + .seconds(200)))
    }

    @Test func whatWasGivenUpIsOwedUntilTheBrokerSpeaks() throws {
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        let at = NIODeadline.uptimeNanoseconds(1)
        var owed = OwedAnswers(timeout: .seconds(10))
        for opaque in 1...3 as ClosedRange<Int32> {
            owed.append(opaque, loop.makePromise(), now: at + .seconds(Int64(opaque)))
        }
        owed.take(2)?.fail(KiteQError(.closed, ""))
        #expect(owed.owedSince == at + .seconds(1))
        #expect(owed.nextGivenUp == at + .seconds(11))
        #expect(owed.giveUp(now: at + .seconds(10)) == nil)
        owed.giveUp(now: at + .seconds(11))?.fail(KiteQError(.closed, ""))
        #expect(owed.nextGivenUp == at + .seconds(13), "the second was answered")
        #expect(owed.giveUp(now: at + .seconds(12)) == nil)
        #expect(owed.owedSince == at + .seconds(1), "the broker has not answered because its caller went")
        owed.heard()
        #expect(owed.owedSince == at + .seconds(3))
        #expect(owed.take(1) == nil)
        for promise in owed.drain() { promise.fail(KiteQError(.closed, "")) }
        #expect(owed.owedSince == nil)
    }

    @Test func theBrokerOfAnUncertainPublishIsRemembered() throws {
        let (first, second) = (try #require(BrokerAddress("a:1")), try #require(BrokerAddress("b:1")))
        var uncertain = UncertainPublishes(limit: 3)
        uncertain.note("AB", first)
        uncertain.note("ab", second)
        #expect(uncertain["ab"] == first && uncertain["AB"] == first, "where it was sent first")
        uncertain.settle("aB")
        #expect(uncertain["ab"] == nil)
        for number in 0..<1_000 {
            uncertain.note("\(number)", second)
            if number.isMultiple(of: 3) { uncertain.settle("\(number)") }
            #expect(uncertain.count <= 3)
        }
        #expect(uncertain["998"] == second && uncertain["0"] == nil && uncertain["900"] == nil)
    }

    @Test func aStopWaitsForWhatIsUnderWay() async throws {
        let calls = OpenCalls()
        try calls.begin()
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await calls.stop() }
            // It has begun to stop when nothing more is taken.
            while (try? calls.begin()) != nil {
                calls.end()
                await Task.yield()
            }
            calls.end()
            try await tasks.waitForAll()
        }
        let error = #expect(throws: KiteQError.self) { try calls.begin() }
        #expect(error?.code == .closed)
    }

    @Test func whatIsInHandIsBounded() {
        var held = HeldDeliveries(timeout: .seconds(5), handlerTimeout: .seconds(20), limit: 4, maxBytes: 1_000)
        for opaque in 1...3 as ClosedRange<Int32> {
            #expect(held.receive(opaque, bytes: 10, now: start) == true)
            #expect(!held.isFull)
        }
        #expect(held.receive(3, bytes: 10, now: start) == false, "it is in hand already")
        #expect(held.receive(4, bytes: 10, now: start) == true)
        #expect(held.isFull)
        held.end(4)
        #expect(!held.isFull && held.isStillFull)
        held.end(3)
        #expect(!held.isStillFull)
        #expect(held.receive(5, bytes: 980, now: start) == true)
        #expect(held.isFull, "of bytes")
        held.end(5)
        held.end(5)
        #expect(held.begin(1, now: start + .seconds(9)) == false)
        #expect(held.begin(2, now: start + .seconds(9)) == false)
        #expect(held.count == 0)
        #expect(held.receive(6, bytes: 5_000, now: start) == true, "one of any size")
    }

    @Test func aWelcomeAloneEndsNoRowOfFailures() {
        var backoff = ReconnectBackoff(shortest: .milliseconds(100), longest: .seconds(5))
        #expect(backoff.wait == .milliseconds(100))
        var waits: [Duration] = []
        for _ in 0..<8 {
            backoff.ended(after: .milliseconds(1))
            waits.append(backoff.wait)
        }
        #expect(waits == [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000].map { .milliseconds($0) })
        backoff.failed()
        #expect(backoff.wait == .seconds(5))
        backoff.ended(after: .seconds(5))
        #expect(backoff.wait == .milliseconds(100), "it held")
    }

    @Test(arguments: [
        ("127.0.0.1", true), ("127.9.8.7", true), ("::1", true), ("localhost", true), ("127.0.0.1.example", false),
        ("127.0.0", false), ("127.0.0.256", false), ("10.0.0.1", false), ("broker.example", false), ("0.0.0.0", false),
        ("::ffff:10.0.0.1", false), ("localhost.example", false),
    ])
    func aSecretInPlainTextStaysOnThisMachine(host: String, stays: Bool) {
        let address = BrokerAddress(host: host, port: 13_800)
        var configuration = KiteQConfiguration(group: "p-pay", secret: "s3cret", discovery: .file("/none"))
        #expect(configuration.mayBeShownSecret(address) == stays)
        configuration.sendsSecretInPlainText = true
        #expect(configuration.mayBeShownSecret(address))
        configuration = KiteQConfiguration(group: "p-pay", discovery: .file("/none"))
        #expect(configuration.mayBeShownSecret(address), "there is none")
    }
}
