package import KiteQCore

/// PBKDF2-HMAC-SHA256 of a secret, written `pbkdf2-sha256:ROUNDS:SALT:HASH` with salt and hash in hexadecimal.
package struct SecretHash: Sendable, Hashable {
    package static let name = "pbkdf2-sha256"
    /// Enough for a secret that was made by chance, which nobody guesses at any price; what a person made up wants 600,000.
    package static let defaultRounds = 10_000
    /// Above that one log-in takes most of a second.
    package static let allowedRounds = 1_000...1_000_000
    private static let saltBytes = 16

    let rounds: Int
    private let salt: [UInt8]
    private let hash: [UInt8]

    /// - Precondition: rounds are among the allowed.
    package init(of secret: String, rounds: Int = defaultRounds) {
        precondition(Self.allowedRounds.contains(rounds), "rounds are checked before")
        var random = SystemRandomNumberGenerator()
        let salt = (0..<Self.saltBytes).map { _ in UInt8.random(in: 0...255, using: &random) }
        self.init(rounds: rounds, salt: salt, hash: Self.derive(secret, salt: salt, rounds: rounds))
    }

    private init(rounds: Int, salt: [UInt8], hash: [UInt8]) {
        self.rounds = rounds
        self.salt = salt
        self.hash = hash
    }

    /// - Throws: ``InvalidRule``, a sentence without the text.
    package init(parsing text: String) throws(InvalidRule) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 4, parts[0] == Self.name, let rounds = Int(parts[1]),
            let salt = Hexadecimal.bytes(parts[2]), let hash = Hexadecimal.bytes(parts[3]),
            (8...64).contains(salt.count), hash.count == SHA256.byteCount
        else {
            throw InvalidRule(
                "a secret must be \(Self.name):ROUNDS:SALT:HASH, as kiteq secret hash prints it, or plain:…")
        }
        guard Self.allowedRounds.contains(rounds) else {
            throw InvalidRule(
                "the rounds of a secret must be from \(Self.allowedRounds.lowerBound) to \(Self.allowedRounds.upperBound)"
            )
        }
        self.init(rounds: rounds, salt: salt, hash: hash)
    }

    /// The line for the file.
    package var text: String { "\(Self.name):\(rounds):\(Hexadecimal.text(salt)):\(Hexadecimal.text(hash))" }

    func matches(_ secret: String) -> Bool {
        let derived = Self.derive(secret, salt: salt, rounds: rounds)
        // Without a branch: how much of it was right shows in no time.
        return zip(derived, hash).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }

    /// As much work as a comparison of so many rounds.
    static func spend(rounds: Int, on secret: String) {
        if rounds > 0 { _ = derive(secret, salt: [UInt8](repeating: 0, count: saltBytes), rounds: rounds) }
    }

    private static func derive(_ secret: String, salt: [UInt8], rounds: Int) -> [UInt8] {
        SHA256.passwordKey(of: Array(secret.utf8), salt: salt, rounds: rounds)
    }
}

extension SecretHash: CustomStringConvertible, CustomReflectable {
    package var description: String { "\(Self.name) of \(rounds) rounds" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
