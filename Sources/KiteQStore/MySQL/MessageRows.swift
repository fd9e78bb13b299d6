package import KiteQCore
package import MariaDB

/// Messages as rows of `kite_message`, in the order of `SQL.insertMessages`.
package enum MessageRows {
    package static func batch(_ insertions: [Insertion], owner: Int64) -> MariaDBBatch {
        var rows = MariaDBBatch([
            .int, .bytes, .int, .int, .int, .int, .int, .int, .int, .bytes, .bytes, .bytes, .bytes, .bytes, .bytes,
        ])
        // A footprint counts more than the names take.
        rows.reserveCapacity(rows: insertions.count, bytes: insertions.reduce(0) { $0 + $1.message.footprint })
        for insertion in insertions {
            let message = insertion.message
            rows.append(insertion.seq)
            message.id.withBytes { rows.append($0) }
            rows.append(
                Int64(insertion.isHalf ? StoredMessage.State.half.rawValue : StoredMessage.State.fresh.rawValue))
            rows.append(Int64(message.kind.rawValue))
            rows.append(owner)
            rows.append(insertion.route?.id ?? Route.halfID)
            rows.append(message.expiresAt)
            rows.append(message.publishedAt)
            rows.append(Int64(message.deliverLimit))
            rows.append(message.topic)
            rows.append(message.messageType)
            rows.append(message.publisherGroup)
            rows.append(message.header)
            rows.append(message.body)
            if let extra = message.extra { rows.append(extra) } else { rows.appendNull() }
        }
        return rows
    }
}
