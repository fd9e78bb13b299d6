import Hummingbird
import HummingbirdTesting
@testable import KiteQBroker
@testable import KiteQCore
import Logging
import Testing

@testable import KiteQAdmin

@Suite struct AdminServerTests {
    private func test(
        _ probe: AdminProbe, limit: Duration = .seconds(2), _ path: String,
        check: @escaping @Sendable (TestResponse) throws -> Void
    ) async throws {
        let server = AdminServer(
            host: "127.0.0.1", port: 0, probe: probe, metrics: PrometheusMetrics(), readinessLimit: limit,
            logger: Logger(label: "test"))
        try await Application(router: server.makeRouter()).test(.router) { client in
            try await client.execute(uri: path, method: .get) { try check($0) }
        }
    }

    private static let ready = AdminProbe(whyNotReady: { nil }, status: { nil })

    @Test func aLivingProcessIsHealthyWhateverItsStoreDoes() async throws {
        try await test(AdminProbe(whyNotReady: { "the store does not answer" }, status: { nil }), "/healthz") {
            #expect($0.status == .ok)
            #expect(String(buffer: $0.body) == "ok\n")
        }
    }

    @Test func itIsReadyWhereNothingSpeaksAgainstIt() async throws {
        try await test(Self.ready, "/readyz") { #expect($0.status == .ok) }
        try await test(AdminProbe(whyNotReady: { "the broker is starting" }, status: { nil }), "/readyz") {
            #expect($0.status == .serviceUnavailable)
            #expect(String(buffer: $0.body) == "the broker is starting\n")
        }
    }

    @Test func aWrongClockIsSaidAndIsNoReasonNotToServe() async throws {
        let lead: Timestamp = 3_600_000
        let clock = ServerClock(.init(server: 10 * lead, sentAt: 0, receivedAt: 0, wall: 11 * lead))
        let shards = [
            ShardStatus(shard: 0, publishesWaiting: 0, publishBytesWaiting: 0, unwritten: 0, clock: clock),
            ShardStatus(shard: 1, publishesWaiting: 0, publishBytesWaiting: 0, unwritten: 0),
        ]
        let sentence = clock.incidents(shard: 0).joined()
        #expect(sentence.contains("60 min ahead"))
        for reason in [nil, "the store does not answer"] {
            let probe = AdminProbe(whyNotReady: { reason }, status: { .empty(shards: shards) })
            try await test(probe, "/readyz") {
                #expect($0.status == (reason == nil ? .ok : .serviceUnavailable))
                #expect(String(buffer: $0.body) == "\(reason ?? "ready")\n\(sentence)\n")
            }
        }
    }

    @Test func aStoreThatHangsDoesNotHangTheAnswer() async throws {
        let probe = AdminProbe(
            whyNotReady: {
                // Until it is cancelled.
                for await _ in AsyncStream<Never>.makeStream().stream {}
                return nil
            }, status: { nil })
        try await test(probe, limit: .milliseconds(20), "/readyz") {
            #expect($0.status == .serviceUnavailable)
            #expect(String(buffer: $0.body).contains("does not answer within"))
        }
    }

    @Test func metricsAreThereBeforeTheBrokerServes() async throws {
        try await test(Self.ready, "/metrics") { response in
            #expect(response.status == .ok)
            #expect(response.headers[.contentType] == "text/plain; version=0.0.4; charset=utf-8")
            let text = String(buffer: response.body)
            #expect(text.contains("\nkiteq_serving 0\n"))
            #expect(text.contains("\nprocess_resident_memory_bytes "))
            #expect(text.contains("\nprocess_cpu_seconds_total "))
        }
    }

    @Test func anythingElseIsNotFound() async throws {
        try await test(Self.ready, "/") { #expect($0.status == .notFound) }
    }
}

extension BrokerStatus {
    /// Of a broker that has done nothing.
    static func empty(shards: [ShardStatus]) -> BrokerStatus {
        BrokerStatus(
            delivery: DeliveryCounters(), gauges: DeliveryGauges(), publishing: PublishCounters(),
            transactions: TransactionCounters(), publishQueue: (0, 0), connections: 0, connectionsByGroup: [:],
            malformedPackets: 0, refusedConnections: 0, shards: shards)
    }
}
