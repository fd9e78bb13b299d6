import KiteQCore
import MariaDB
import NIOCore

/// Whether a message could be stored here now.
extension Shard {
    /// Longer than what has room in a row: a table that is full has no page for it.
    private static let probeBytes = 64 << 10

    /// Writes a half message, of which nobody sees anything, and takes it back: so a server that is locked, full or read-only is
    /// found out before a publisher meets it.
    func probe() async throws {
        let message = Message(
            id: .random(), kind: .bytes, topic: "", messageType: "", publisherGroup: "", expiresAt: 0, deliverLimit: 0,
            publishedAt: 0, header: ByteBuffer(), body: ByteBuffer(repeating: 0, count: Self.probeBytes))
        // Below all seqs that are made, and one for each broker.
        let row = Insertion(
            seq: -incarnation, message: message, route: nil, connectionGroup: "", firstCheckAt: 0)
        let batch = MessageRows.batch([row], owner: incarnation)
        try await run(retryingLockWaits: false) { connection in
            try Self.tryOut(batch, on: connection)
        }
    }

    private static func tryOut(_ batch: MariaDBBatch, on connection: isolated MariaDBConnection) throws {
        do {
            try connection.transaction {
                try connection.insert(into: SQL.insertMessages, batch)
                throw TakenBack()
            }
        } catch is TakenBack {
            // It could be stored.
        }
    }

    private struct TakenBack: Error {}
}
