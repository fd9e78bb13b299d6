package import NIOCore

extension MessageHeaderView {
    /// The header's bytes with createTime filled in where it is absent, 0 or below (docs/protocol.md#the-header).
    ///
    /// The field is appended, since of a repeated field the last one counts: nothing of what the producer sent changes.
    /// Where it is there already, the very bytes come back.
    ///
    /// - Parameter now: Unix seconds.
    package func bytes(fillingCreateTime now: Int64) -> ByteBuffer {
        if let createTime, createTime > 0 { return bytes }
        return bytes(settingCreateTime: now)
    }

    /// The header's bytes with fields of the broker's own choice appended, which override what was sent.
    ///
    /// - Parameters:
    ///   - createTime: Unix seconds, or nil to leave it.
    ///   - expiredTime: Unix seconds, or nil to leave it.
    ///   - deliverLimit: attempts, or nil to leave it.
    package func bytes(
        settingCreateTime createTime: Int64? = nil, expiredTime: Int64? = nil, deliverLimit: Int32? = nil
    ) -> ByteBuffer {
        var length = bytes.readableBytes
        if let createTime { length += 1 + FieldWriter.size(of: createTime) }
        if let expiredTime { length += 1 + FieldWriter.size(of: expiredTime) }
        if let deliverLimit { length += 1 + FieldWriter.size(of: Int64(deliverLimit)) }
        guard length > bytes.readableBytes else { return bytes }

        var result = ByteBuffer()
        result.write(exactly: length) { writer in
            bytes.withUnsafeReadableBytes { writer.write($0) }
            if let createTime { writer.write(Field.createTime, number: createTime) }
            if let expiredTime { writer.write(Field.expiredTime, number: expiredTime) }
            if let deliverLimit { writer.write(Field.deliverLimit, number: Int64(deliverLimit)) }
        }
        return result
    }
}
