import COpenSSL
import KiteQCore

/// Which clients' certificates their authorities have taken back: the lists of a file, as it was when it was read.
///
/// The lists are only read after they are made, and what OpenSSL keeps beside them is under a lock of its own.
package final class RevocationList: @unchecked Sendable {
    /// What the lists held: equal where two files had the same content.
    package let content: [[UInt8]]
    private let lists: [OpaquePointer]
    private let option: String

    /// - Parameters:
    ///   - path: a PEM file with one list or more.
    ///   - section: of the options that name the files: `broker`, `admin`.
    ///   - authorities: in DER; each list is signed by one of them.
    /// - Throws: ``BrokerError`` that names the option and the file.
    package init(_ path: String, section: String, authorities: [[UInt8]]) throws(BrokerError) {
        let option = "\(section).tls_client_crl"
        guard let file = BIO_new_file(path, "r") else {
            throw BrokerError(
                "the file \(path) of \(option) \(FileReason.clause(path, kind: "a certificate revocation list"))")
        }
        defer { BIO_free(file) }
        var lists: [OpaquePointer] = []
        while let list = PEM_read_bio_X509_CRL(file, nil, nil, nil) { lists.append(list) }
        // What ended the reading is in OpenSSL's queue of errors: the end of the file, mostly.
        ERR_clear_error()
        self.lists = lists
        self.option = option
        content = lists.map { list in Self.encoded { i2d_X509_CRL(list, $0) } }
        if lists.isEmpty { throw BrokerError("the file \(path) of \(option) has no certificate revocation list") }
        for list in lists where !Self.isSigned(list, byOneOf: authorities) {
            throw BrokerError(
                "the file \(path) of \(option) has a list that none of the authorities in \(section).tls_client_ca signed"
            )
        }
    }

    deinit { for list in lists { X509_CRL_free(list) } }

    /// - Parameter certificate: in DER.
    package func revokes(_ certificate: [UInt8]) -> Bool {
        ShownCertificate.withParsed(certificate) { parsed in
            lists.contains { list in
                var entry: OpaquePointer?
                // 2 is an entry that takes a revocation back.
                return X509_CRL_get0_by_cert(list, &entry, parsed) == 1
            }
        } ?? true
    }

    /// What whoever runs this should know; nil where all lists are in their time.
    var warning: String? {
        let isOver = lists.contains { list in
            X509_CRL_get0_nextUpdate(list).map { X509_cmp_current_time($0) < 0 } ?? false
        }
        return isOver ? "a list of \(option) should have been followed by a newer one: it is still used" : nil
    }

    private static func isSigned(_ list: OpaquePointer, byOneOf authorities: [[UInt8]]) -> Bool {
        authorities.contains { authority in
            ShownCertificate.withParsed(authority) { parsed in
                X509_NAME_cmp(X509_get_subject_name(parsed), X509_CRL_get_issuer(list)) == 0
                    && X509_CRL_verify(list, X509_get0_pubkey(parsed)) == 1
            } ?? false
        }
    }

    private static func encoded(_ write: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?) -> Int32) -> [UInt8] {
        let count = Int(write(nil))
        return [UInt8](unsafeUninitializedCapacity: max(0, count)) { buffer, filled in
            var position = buffer.baseAddress
            filled = max(0, Int(write(&position)))
        }
    }
}
