import KiteQCore
import KiteQStore
import MariaDB

extension Pieces {
    static func store() throws -> [Piece] {
        let route = Route([.init(group: "s-member", persistent: true)])
        let insertions = try (0..<Sample.count).map { number in
            Insertion(
                seq: Int64(number), message: try Sample.message(), route: route, connectionGroup: "p-trade",
                firstCheckAt: 0)
        }
        return [
            Piece(name: "a batch of rows for the database", count: Sample.count) {
                use(MessageRows.batch(insertions, owner: 1))
            }
        ]
    }
}
