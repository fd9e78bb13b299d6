import KiteQCore

/// What a refusal costs where nobody has the name: what one of the known groups' does, so that no time tells whether a name is known, and
/// one dear group does not make all refusals dear.
///
/// It is always the same for a name: whoever could see it change would know that nobody has the name. So the key that draws it is made
/// from the groups' own hashes, which brokers with one file have in common, also after a restart; and what is drawn is a place in the
/// order of prices, so that a group more or less moves few names.
struct UnknownNamePrices: Sendable, Hashable {
    private let sorted: [Int]
    private let key: [UInt8]

    /// - Parameter groups: those that show who they are.
    init(_ groups: [GroupAccess]) {
        sorted = groups.map(\.price).sorted()
        // The least of their hashes: with one of n groups it changes once in n times. Nobody who is a group has what is hashed here: the
        // file alone has it.
        let hashes = groups.flatMap(\.secrets).compactMap { secret -> [UInt8]? in
            guard case .hashed(let hash) = secret else { return nil }
            return SHA256.hash(Array("price of unknown names:\(hash.text)".utf8))
        }
        // Without any all prices are 0.
        key = hashes.min { $0.lexicographicallyPrecedes($1) } ?? []
    }

    /// In rounds.
    func price(of name: BindingName) -> Int {
        guard let dearest = sorted.last, dearest > 0 else { return 0 }
        let code = SHA256.authenticationCode(of: Array(name.text.utf8), key: key)
        let drawn = code.prefix(4).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return sorted[Int((drawn * UInt64(sorted.count)) >> 32)]
    }
}
