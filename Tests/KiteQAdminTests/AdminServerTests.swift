import HTTPTypes
import Hummingbird
import HummingbirdTesting
@testable import KiteQBroker
@testable import KiteQCore
import Logging
import Testing

@testable import KiteQAdmin

@Suite struct AdminServerTests {
    private func test(
        _ probe: AdminProbe, _ path: String,
        check: @escaping @Sendable (TestResponse) throws -> Void
    ) async throws {
        let server = AdminServer(
            host: "127.0.0.1", port: 0, probe: probe, metrics: PrometheusMetrics(),
            logger: Logger(label: "test"))
        try await Application(router: server.makeRouter()).test(.router) { client in
            try await client.execute(uri: path, method: .get) { try check($0) }
        }
    }

    private static let ready = AdminProbe(readiness: { Readiness([]) }, status: { nil })

    @Test func aLivingProcessIsHealthyWhateverItsStoreDoes() async throws {
        try await test(Self.probe(Readiness(notServing: "the store does not answer")), "/healthz") {
            #expect($0.status == .ok)
            #expect(String(buffer: $0.body) == "ok\n")
        }
    }

    @Test func itIsReadyWhereNothingSpeaksAgainstIt() async throws {
        try await test(Self.ready, "/readyz") { #expect($0.status == .ok) }
        try await test(Self.probe(Readiness(notServing: "the broker is starting")), "/readyz") {
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
        for (readiness, first, status) in [
            (Self.shards(true, true), "ready", HTTPResponse.Status.ok),
            (Readiness(notServing: "the broker stops"), "the broker stops", .serviceUnavailable),
        ] {
            let probe = AdminProbe(readiness: { readiness }, status: { .empty(shards: shards) })
            try await test(probe, "/readyz") {
                #expect($0.status == status)
                #expect(String(buffer: $0.body) == "\(first)\n\(sentence)\n")
            }
        }
    }

    /// Shards of which each can be used or not.
    private static func shards(_ usable: Bool...) -> Readiness {
        Readiness(
            usable.enumerated().map { number, isUsable in
                Readiness.Shard(
                    number: number, hasLease: isUsable,
                    leaseFailure: isUsable ? nil : "shard \(number): no database connection")
            })
    }

    private static func probe(_ readiness: Readiness, requiresAllShards: Bool = false) -> AdminProbe {
        AdminProbe(readiness: { readiness }, requiresAllShards: requiresAllShards, status: { nil })
    }

    @Test func aBrokerWithSomeOfItsShardsIsDegradedAndReady() async throws {
        let body = "degraded: shard 1 is away: no database connection\n"
        for (path, isStrict, status) in [
            ("/readyz", false, HTTPResponse.Status.ok), ("/readyz?shards=any", true, .ok),
            ("/readyz", true, .serviceUnavailable), ("/readyz?shards=all", false, .serviceUnavailable),
        ] {
            try await test(Self.probe(Self.shards(true, false), requiresAllShards: isStrict), path) {
                #expect($0.status == status, "\(path), \(isStrict)")
                #expect(String(buffer: $0.body) == body)
            }
        }
        try await test(Self.probe(Self.shards(true, true)), "/readyz?shards=all") { #expect($0.status == .ok) }
        try await test(Self.probe(Self.shards(true, true)), "/readyz?shards=most") {
            #expect($0.status == .badRequest)
            #expect(String(buffer: $0.body) == "shards is all or any\n")
        }
    }

    @Test func withoutAnyShardItIsNotReady() async throws {
        try await test(Self.probe(Self.shards(false, false)), "/readyz") {
            #expect($0.status == .serviceUnavailable)
            #expect(
                String(buffer: $0.body)
                    == "no shard of the store can be used: shard 0 is away: no database connection; shard 1 is away: no database connection\n"
            )
        }
    }

    @Test func theMetricsSayWhatTheProbeSays() async throws {
        for (readiness, ready, degraded) in [
            (Self.shards(true, true), 1, 0), (Self.shards(true, false), 1, 1), (Self.shards(false, false), 0, 0),
            (Readiness(notServing: "the broker stops"), 0, 0),
        ] {
            try await test(Self.probe(readiness), "/metrics") { response in
                let text = String(buffer: response.body)
                #expect(text.contains("\nkiteq_ready \(ready)\n") && text.contains("\nkiteq_degraded \(degraded)\n"))
            }
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
