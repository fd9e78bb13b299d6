import Testing

@testable import KiteQCore

extension DeliveryMachine {
    var isEmptyOfClients: Bool { clients.places.allSatisfy { !clients[$0].isOpen } }
}

@Suite struct ClientTableTests {
    private var client: DeliveryClient {
        DeliveryClient(
            group: .first, window: InFlightWindow(limit: 1, timeout: 1), pace: WindowPace(most: 1, span: 1, now: 0),
            maxBytes: 1, warmUp: WarmUp(seconds: 0, start: 0), generation: 0)
    }

    @Test func anIdIsNobodysOnceItsClientIsClosed() throws {
        var table = ClientTable()
        let (first, second) = (table.insert(client), table.insert(client))
        let id = table.id(of: first)
        #expect(table.index(of: id) == first && table.index(of: table.id(of: second)) == second)
        table.close(first)
        #expect(table.index(of: id) == nil && table.places.map { table[$0].isOpen } == [false, true])
        let next = table.insert(client)
        #expect(next == first && table.index(of: id) == nil && table.index(of: table.id(of: next)) == next)
        #expect(Array(table.places).count == 2, "places are used again")
        for number in [UInt64.max, 1 << 31, 99] {
            #expect(table.index(of: DeliveryClientID(rawValue: number)) == nil)
        }
    }
}
