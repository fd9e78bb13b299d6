package import KiteQCore

/// What a group's secret is compared with. Its description never has it.
package enum GroupSecret: Sendable, Hashable {
    /// The secret itself: for a trial, and for configurations of before.
    case plain(String)
    case hashed(SecretHash)

    /// `plain:SECRET`, or what `kiteq secret hash` prints.
    /// - Throws: ``InvalidRule``, a sentence without the text.
    package init(parsing text: String) throws(InvalidRule) {
        if let secret = text.dropped(prefix: "plain:") {
            guard !secret.isEmpty else { throw InvalidRule("a secret of the form plain:… is empty") }
            self = .plain(secret)
        } else {
            self = .hashed(try SecretHash(parsing: text))
        }
    }

    /// What it costs to compare one with it.
    var rounds: Int {
        switch self {
        case .plain: 0
        case .hashed(let hash): hash.rounds
        }
    }

    /// Takes the same time whatever the secret is.
    func matches(_ secret: String) -> Bool {
        switch self {
        case .plain(let expected): Self.equal(Array(expected.utf8), Array(secret.utf8))
        case .hashed(let hash): hash.matches(secret)
        }
    }

    /// The time depends on the second's length alone, which is the sender's own.
    private static func equal(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        // Their hashes have one length, and tell nothing of where the first difference is.
        SHA256.hash(a) == SHA256.hash(b)
    }
}

extension GroupSecret: CustomStringConvertible, CustomReflectable {
    package var description: String { "a secret" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

extension String {
    /// Nil where it begins with something else.
    func dropped(prefix: String) -> String? { hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil }
}
