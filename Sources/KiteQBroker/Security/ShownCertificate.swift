import COpenSSL
import NIOSSL

/// A certificate that a client showed.
struct ShownCertificate: Sendable, Hashable {
    /// The names that it says: DNS names and URIs; where it has no names beside its subject, that one's common name, as RFC 6125 has it.
    let names: [String]
    /// In DER.
    let encoded: [UInt8]

    struct Unreadable: Error, CustomStringConvertible {
        let description = "the client's certificate has a name that cannot be read"
    }

    /// It was verified before: it is signed by an authority that is trusted, and in its time.
    /// - Throws: where it, or one of its names, cannot be read.
    init(_ certificate: NIOSSLCertificate) throws {
        encoded = try certificate.toDERBytes()
        let names = try Self.withParsed(encoded) { try Self.alternativeNames(of: $0) ?? Self.commonNames(of: $0) }
        guard let names else { throw Unreadable() }
        self.names = names
    }

    /// Nil where it is no certificate.
    static func withParsed<Value>(_ encoded: [UInt8], _ body: (OpaquePointer) throws -> Value) rethrows -> Value? {
        let certificate = encoded.withUnsafeBufferPointer { bytes in
            var position = bytes.baseAddress
            return d2i_X509(nil, &position, bytes.count)
        }
        guard let certificate else { return nil }
        defer { X509_free(certificate) }
        return try body(certificate)
    }

    private static func commonNames(of certificate: OpaquePointer) throws -> [String] {
        let subject = X509_get_subject_name(certificate)
        var names: [String] = []
        var index: Int32 = -1
        while true {
            index = X509_NAME_get_index_by_NID(subject, NID_commonName, index)
            guard index >= 0 else { return names }
            var bytes: UnsafeMutablePointer<UInt8>?
            let count = ASN1_STRING_to_UTF8(&bytes, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index)))
            guard count >= 0, let bytes else { throw Unreadable() }
            defer { CRYPTO_free(bytes, nil, 0) }
            names.append(try text(bytes, count))
        }
    }

    /// Nil where it has none of any kind.
    private static func alternativeNames(of certificate: OpaquePointer) throws -> [String]? {
        var found: Int32 = 0
        guard let encodedNames = X509_get_ext_d2i(certificate, NID_subject_alt_name, &found, nil) else {
            guard found == -1 else { throw Unreadable() }  // Beside "it has none": twice, or not to be read.
            return nil
        }
        let list = OpaquePointer(encodedNames)
        defer { GENERAL_NAMES_free(list) }
        return try (0..<OPENSSL_sk_num(list)).compactMap { index in
            var kind: Int32 = 0
            let name = OPENSSL_sk_value(list, index)?.assumingMemoryBound(to: GENERAL_NAME.self)
            guard let value = GENERAL_NAME_get0_value(name, &kind), kind == GEN_DNS || kind == GEN_URI else {
                return nil
            }
            let string = value.assumingMemoryBound(to: ASN1_STRING.self)
            guard let bytes = ASN1_STRING_get0_data(string) else { throw Unreadable() }
            return try text(bytes, ASN1_STRING_length(string))
        }
    }

    /// All of it, a NUL within it as well: who compares only what is before one takes a name for another.
    private static func text(_ bytes: UnsafePointer<UInt8>, _ count: Int32) throws -> String {
        guard let text = String(validating: UnsafeBufferPointer(start: bytes, count: Int(count)), as: UTF8.self) else {
            throw Unreadable()
        }
        return text
    }
}
