import NIOCore
import Testing

@testable import KiteQBroker

@Suite struct AdmissionsTests {
    private static func settings(_ most: Int, perAddress: Int = 1_000_000) throws -> SessionSettings {
        var configuration = BrokerConfiguration()
        configuration.topics = ["trade"]
        (configuration.maxConnections, configuration.maxConnectionsPerAddress) = (most, perAddress)
        return try SessionSettings(configuration)
    }

    private func peer(_ address: String = "10.0.0.1") throws -> Peer {
        Peer(try SocketAddress(ipAddress: address, port: 4_711))
    }

    private func place(_ entry: Admissions.Entry) throws -> Admissions.Place {
        guard case .taken(let place) = entry else { throw Refused() }
        return place
    }

    private struct Refused: Error {}

    @Test(arguments: [(1, 0), (2, 1), (10, 5), (100, 16), (500, 50), (20_000, 1_000), (1_000_000, 1_000)])
    func aShareIsForThoseThatAreNotLetIn(most: Int, share: Int) {
        #expect(Admissions.share(of: most) == share)
    }

    @Test func thoseThatAreLetInDoNotTakeAllPlaces() throws {
        let (admissions, settings) = (Admissions(), try Self.settings(100))
        var places: [Admissions.Place] = []
        for _ in 0..<84 {
            let place = try place(admissions.enter(try peer(), settings))
            #expect(admissions.letIn(place, settings) == nil)
            places.append(place)
        }
        #expect(admissions.nearLimit(settings)?.count == 84 && admissions.nearLimit(settings) == nil, "it is said once")
        // One that comes has a place, and is told.
        let late = try place(admissions.enter(try peer("10.0.0.2"), settings))
        let why = admissions.letIn(late, settings)
        #expect(why?.hasPrefix("try again later, or at another broker: it has 84 clients, and takes no more") == true)
        admissions.leave(places[0], settings)
        #expect(admissions.letIn(late, settings) == nil)
        admissions.leave(late, settings)
        for place in places.dropFirst() { admissions.leave(place, settings) }
        #expect(admissions.count == 0)
        for _ in 0..<84 {
            let place = try place(admissions.enter(try peer(), settings))
            #expect(admissions.letIn(place, settings) == nil, "whoever leaves is counted no more")
        }
    }

    @Test func oneAddressThatNeverGreetsLeavesPlacesForOthers() throws {
        let (admissions, settings) = (Admissions(), try Self.settings(100))
        var taken = 0
        for _ in 0..<200 {
            if case .taken = admissions.enter(try peer(), settings) { taken += 1 }
        }
        #expect(taken == 84)
        for _ in 0..<8 {
            let place = try place(admissions.enter(try peer("10.0.0.2"), settings))
            #expect(admissions.letIn(place, settings) == nil)
        }
        // Those that are let in wait for nothing: the others of their address are judged by what waits.
        for number in 3..<11 { _ = try place(admissions.enter(try peer("10.0.0.\(number)"), settings)) }
        guard case .refused(let kind, let why) = admissions.enter(try peer("10.0.1.1"), settings) else {
            throw Refused()
        }
        #expect(kind == .tooMany && why == "there are 100 already (broker.max_connections)")
    }

    @Test func ofTheShareOneAddressHasHalf() throws {
        let (admissions, settings) = (Admissions(), try Self.settings(100))
        for _ in 0..<84 {
            #expect(admissions.letIn(try place(admissions.enter(try peer(), settings)), settings) == nil)
        }
        for _ in 0..<8 { _ = try place(admissions.enter(try peer(), settings)) }
        guard case .refused(let kind, let why) = admissions.enter(try peer(), settings) else { throw Refused() }
        #expect(kind == .tooManyFromAddress)
        #expect(why.contains("10.0.0.1 has 8 connections that are not let in yet"))
        for _ in 0..<8 { _ = try place(admissions.enter(try peer("10.0.0.2"), settings)) }
    }
}
