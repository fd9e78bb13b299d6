import KiteQCore
import NIOCore
import NIOPosix
import NIOSSL

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

extension KiteQError {
    /// Why a broker could not be connected to, as a sentence that goes on after its address.
    static func connecting(_ error: any Error, tls: Bool) -> KiteQError {
        switch error {
        case let error as KiteQError: error
        case let error as NIOConnectionError: KiteQError(.notConnected, reason(error))
        case let error as IOError: KiteQError(.notConnected, reason(error))
        case ChannelError.connectTimeout(let timeout):
            KiteQError(.notConnected, "it does not answer within \(Duration.nanoseconds(timeout.nanoseconds))")
        case is NIOSSLError, is NIOSSLExtraError, is BoringSSLError: handshake(error)
        case is ChannelError, is EventLoopError:
            KiteQError(.notConnected, "the connection was closed before the broker let us in")
        default: KiteQError(.notConnected, "it cannot be connected to\(tls ? " with TLS" : ""): \(error)")
        }
    }

    /// Why a TLS handshake failed. There are many ways, and few that somebody can mend: those have words of their own.
    static func handshake(_ error: any Error) -> KiteQError {
        let text = "\(error)"
        let why =
            switch error {
            case let error as NIOSSLExtraError where error == .failedToValidateHostname:
                "its certificate is for another name than the one that is connected to"
            case is NIOSSLExtraError:
                "the server name \(text.split(separator: " ").last ?? "") cannot be one in a certificate"
            case NIOSSLError.uncleanShutdown, NIOSSLError.handshakeFailed(.zeroReturn),
                NIOSSLError.handshakeFailed(.syscallError):
                "it closed the connection in the middle of the handshake"
            case _ where text.contains("CERTIFICATE_VERIFY_FAILED"):
                "its certificate is not to be trusted: it is signed by no authority that is known here, or not valid now"
            case _ where text.contains("WRONG_VERSION_NUMBER"): "it does not speak TLS there"
            case _ where text.contains("UNSUPPORTED_PROTOCOL") || text.contains("PROTOCOL_VERSION"):
                "it speaks no version of TLS that is taken here (1.2 or newer)"
            case _
            where text.contains("CERTIFICATE_REQUIRED") || text.contains("UNKNOWN_CA")
                || text.contains("BAD_CERTIFICATE") || text.contains("CERTIFICATE_EXPIRED")
                || text.contains("CERTIFICATE_UNKNOWN"):
                "it does not accept this client's certificate, or asks for one"
            default: words(text)
            }
        return KiteQError(.notConnected, "TLS with the broker failed: \(why)")
    }

    /// What the library says is wrong, without the names of its types and functions.
    private static func words(_ text: String) -> String {
        // Such as error:100000f7:SSL routines:OPENSSL_internal:NO_SHARED_CIPHER.
        let parts: [Substring] = text.split { !($0.isUppercase || $0.isNumber || $0 == "_") }
        guard let reason = parts.last(where: { $0.count > 4 && $0.contains("_") }) else {
            return "the two sides do not agree on how"
        }
        return String(reason).lowercased().split(separator: "_").joined(separator: " ")
    }

    private static func reason(_ error: NIOConnectionError) -> String {
        if let first = error.connectionErrors.first?.error {
            if let first = first as? IOError { return reason(first) }
            if case ChannelError.connectTimeout? = first as? ChannelError { return "it does not answer" }
            return "the connection was not made"
        }
        return "there is no host of the name \(error.host)"
    }

    private static func reason(_ error: IOError) -> String {
        String(cString: strerror(error.errnoCode)).lowercased()
    }

    /// What is wrong with the registry.
    static func registry(_ error: RegistryError) -> KiteQError {
        let code: Code =
            switch error.code {
            case .invalid, .unsupported: .invalid
            case .denied: .refused
            case .unavailable: .notConnected
            case .closed: .closed
            }
        return KiteQError(code, error.message)
    }
}
