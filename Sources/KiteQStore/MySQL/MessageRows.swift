package import KiteQCore
package import MariaDB
import NIOCore

/// Messages as rows of `kite_message`, in the order of `SQL.insertMessages`.
package enum MessageRows {
    package static func batch(_ insertions: [Insertion], owner: Int64) -> MariaDBBatch {
        // A footprint counts more than the names take.
        var rows = MariaDBBatch(
            rows: insertions.count, bytes: insertions.reduce(0) { $0 + $1.message.footprint })
        func message(_ row: Int) -> Message { insertions[row].message }
        rows.addColumn { insertions[$0].seq }
        rows.addColumn(bytes: { row, put in message(row).id.withBytes { put($0) } })
        rows.addColumn {
            Int64((insertions[$0].isHalf ? StoredMessage.State.half : StoredMessage.State.fresh).rawValue)
        }
        rows.addColumn { Int64(message($0).kind.rawValue) }
        rows.addColumn { _ in owner }
        rows.addColumn { insertions[$0].route?.id ?? Route.halfID }
        rows.addColumn { message($0).expiresAt }
        rows.addColumn { message($0).publishedAt }
        rows.addColumn { Int64(message($0).deliverLimit) }
        rows.addColumn(texts: { message($0).topic })
        rows.addColumn(texts: { message($0).messageType })
        rows.addColumn(texts: { message($0).publisherGroup })
        rows.addColumn(bytes: { row, put in message(row).withBytes { header, _, _ in put(header) } })
        rows.addColumn(bytes: { row, put in message(row).withBytes { _, body, _ in put(body) } })
        rows.addColumn(bytes: { row, put in message(row).withBytes { _, _, extra in put(extra) } })
        return rows
    }
}
