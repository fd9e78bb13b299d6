import COpenSSL

/// SHA-256 and what is made with it, by OpenSSL's libcrypto: the system's own, which the client of MySQL brings with it.
///
/// None of them can fail but for want of memory, which ends the program as it does elsewhere.
package enum SHA256 {
    /// Of each result.
    package static let byteCount = 32

    package static func hash(_ bytes: [UInt8]) -> [UInt8] {
        filled { EVP_Digest(bytes, bytes.count, $0, nil, EVP_sha256(), nil) == 1 }
    }

    /// HMAC (RFC 2104).
    static func authenticationCode(of bytes: [UInt8], key: [UInt8]) -> [UInt8] {
        filled { HMAC(EVP_sha256(), key, Int32(key.count), bytes, bytes.count, $0, nil) != nil }
    }

    /// PBKDF2 (RFC 8018) with HMAC-SHA-256.
    static func passwordKey(of password: [UInt8], salt: [UInt8], rounds: Int) -> [UInt8] {
        password.withUnsafeBytes { password in
            filled {
                PKCS5_PBKDF2_HMAC(
                    password.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(password.count),
                    salt, Int32(salt.count), Int32(rounds), EVP_sha256(), Int32(byteCount), $0) == 1
            }
        }
    }

    private static func filled(_ body: (UnsafeMutablePointer<UInt8>) -> Bool) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, count in
            // The buffer of a capacity above 0 has an address.
            let isFilled = body(buffer.baseAddress!)
            precondition(isFilled, "OpenSSL has no SHA-256, or no memory")
            count = byteCount
        }
    }
}
