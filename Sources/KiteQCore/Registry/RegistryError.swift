/// Why a registry could not do what it was asked.
package struct RegistryError: Error, Sendable, Hashable {
    package enum Code: Sendable, Hashable {
        /// A URL, file or name that no registry can use; only changing it helps.
        case invalid
        /// This kind of registry does not do this.
        case unsupported
        /// The registry refuses these credentials.
        case denied
        /// The registry cannot be reached, or answered with a fault of its own.
        case unavailable
        /// ``Registry/run()`` has ended.
        case closed
    }

    package var code: Code
    /// What is wrong and what to do about it, one sentence for whoever runs the program.
    package var message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// Whether the same call can succeed later.
    package var isRetriable: Bool { code == .unavailable }
}

extension RegistryError: CustomStringConvertible {
    package var description: String { message }
}
