package import NIOCore
package import SwiftProtobuf

/// The generated messages from and to buffers: what is not on every message's path.
extension SwiftProtobuf.Message {
    /// Decodes a body with the generated code, unknown fields kept.
    /// - Throws: ``WireError/Code/malformedBody`` or ``WireError/Code/missingField``.
    package init(decoding body: ByteBuffer) throws(WireError) {
        do {
            try self.init(serializedBytes: Array(body.readableBytesView))
        } catch BinaryDecodingError.missingRequiredFields {
            throw WireError(.missingField, "\(Self.protoMessageName) lacks a required field.")
        } catch BinaryDecodingError.invalidUTF8 {
            throw WireError(.invalidText, "A text of \(Self.protoMessageName) is not UTF-8.")
        } catch {
            throw WireError(.malformedBody, "\(Self.protoMessageName) is not well-formed protobuf: \(error).")
        }
    }

    /// Encodes the message.
    /// - Throws: ``WireError/Code/missingField`` where a required field was not set.
    package func serializedBuffer() throws(WireError) -> ByteBuffer {
        do {
            let bytes: [UInt8] = try serializedBytes()
            return ByteBuffer(bytes: bytes)
        } catch {
            throw WireError(.missingField, "\(Self.protoMessageName) cannot be encoded: \(error).")
        }
    }
}
