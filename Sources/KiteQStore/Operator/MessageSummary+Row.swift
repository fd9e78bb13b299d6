import KiteQCore
import MariaDB

extension MessageSummary {
    /// The columns of ``OperatorSQL/summary``.
    init(_ row: MariaDBRow, shard: Int) throws {
        let (seq, state, kind) = (try row.int(0), try row.int(2), try row.int(3))
        guard let state = UInt8(exactly: state).flatMap({ StoredMessage.State(rawValue: $0) }),
            let kind = UInt8(exactly: kind).flatMap({ Message.Kind(rawValue: $0) })
        else {
            throw StoreError(
                .failed, "message \(seq) in shard \(shard) has state \(state) and kind \(kind), which are not known")
        }
        self.init(
            id: try row.id(1), shard: shard, seq: seq, state: state, kind: kind, topic: try row.text(4),
            messageType: try row.text(5), publisherGroup: try row.text(6), owner: try row.int(7),
            publishedAt: try row.int(8), expiresAt: try row.int(9), deliverLimit: Int(try row.int(10)))
    }
}
