import AsyncHTTPClient
import Glibc
import KiteQCore
import NIOCore
import NIOPosix
import NIOSSL

extension AdminClientError {
    /// What went wrong below HTTP, as a sentence about `address`.
    /// - Parameter isAct: whether something was to be changed: then nobody knows whether it was.
    init(transport error: any Error, address: AdminAddress, isAct: Bool) {
        let doubt = isAct ? "; what was asked may have been done all the same: see kiteq audit" : ""
        switch error {
        case let error as AdminClientError: self = error
        case let error as DeadlinePassed: self.init("\(address) gave no answer within \(error.limit)\(doubt)")
        case let error as HTTPClientError where error == .connectTimeout || error == .tlsHandshakeTimeout:
            self.init("\(address) cannot be reached: it does not answer")
        case let error as HTTPClientError where error == .remoteConnectionClosed || error == .uncleanShutdown:
            self.init("\(address) closed the connection without an answer\(doubt)")
        case let error as NIOConnectionError:
            self.init("\(address) cannot be reached: \(Self.reason(error))")
        case let error as IOError where error.errnoCode == ECONNRESET || error.errnoCode == EPIPE:
            self.init("\(address) closed the connection without an answer\(doubt)")
        case let error as IOError:
            self.init("\(address) cannot be reached: \(String(cString: strerror(error.errnoCode)))")
        case is NIOTooManyBytesError:
            self.init("\(address) gave a longer answer than is taken\(doubt)")
        case is NIOSSLError, is NIOSSLExtraError, is BoringSSLError:
            self.init(tls: error, address: address)
        default: self.init("\(address) gave no answer that is understood: \(error)\(doubt)")
        }
    }

    /// There are many ways for a handshake to fail, and two that an operator mends.
    private init(tls error: any Error, address: AdminAddress) {
        let text = "\(error)"
        if text.contains("CERTIFICATE_VERIFY_FAILED") {
            self.init("\(address) has a certificate of an authority that is not trusted: name that with --admin-ca")
        } else if text.contains("WRONG_VERSION_NUMBER") {
            self.init("\(address) does not speak TLS: is it http://?")
        } else {
            self.init("TLS with \(address) failed: \(TLSReason.clause(text))")
        }
    }

    private static func reason(_ error: NIOConnectionError) -> String {
        if let first = error.connectionErrors.first?.error as? IOError {
            return String(cString: strerror(first.errnoCode))
        }
        return error.dnsAError == nil && error.dnsAAAAError == nil ? "it does not answer" : "there is no such host"
    }
}
