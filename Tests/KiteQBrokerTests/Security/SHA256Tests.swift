import KiteQCore
import Testing

@testable import KiteQBroker

/// Published test vectors. That of PBKDF2 is in SecretTests.
@Suite struct SHA256Tests {
    @Test func hashes() {
        // FIPS 180-2, appendix B.
        #expect(
            Hexadecimal.text(SHA256.hash(Array("abc".utf8)))
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(
            Hexadecimal.text(SHA256.hash([])) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    }

    @Test func authenticationCodes() {
        // RFC 4231, case 1.
        #expect(
            Hexadecimal.text(
                SHA256.authenticationCode(of: Array("Hi There".utf8), key: [UInt8](repeating: 0x0B, count: 20)))
                == "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7")
    }

    @Test func keysOfPasswords() {
        // RFC 7914, section 11.
        #expect(
            Hexadecimal.text(SHA256.passwordKey(of: Array("passwd".utf8), salt: Array("salt".utf8), rounds: 1))
                == "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc")
        #expect(SHA256.passwordKey(of: [], salt: [1], rounds: 1).count == SHA256.byteCount)
    }
}
