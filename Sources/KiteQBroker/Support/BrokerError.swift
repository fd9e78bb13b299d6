/// Why a broker cannot run, in a sentence for a person.
package struct BrokerError: Error, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}
