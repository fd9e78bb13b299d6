/// Which groups are let in with which secret.
struct Credentials: Sendable {
    let secrets: [String: String]
    /// Whether a group without a configured secret is refused.
    let requiresSecret: Bool

    /// Why the group is not let in; nil where it is. The sentence does not tell a wrong secret from a missing one.
    func refusal(group: String, secret: String) -> String? {
        if group.isEmpty { return "CONN_META names no group" }
        if group.utf8.count > 255 { return "the group's name has more than 255 bytes" }
        guard let expected = secrets[group] else {
            return requiresSecret ? "the group \(group) is not known here" : nil
        }
        return Self.equal(expected, secret) ? nil : "the secret of group \(group) is wrong"
    }

    /// Takes the same time wherever the first difference is.
    private static func equal(_ a: String, _ b: String) -> Bool {
        let (x, y) = (Array(a.utf8), Array(b.utf8))
        var difference: UInt8 = x.count == y.count ? 0 : 1
        for index in x.indices { difference |= x[index] ^ (index < y.count ? y[index] : ~x[index]) }
        return difference == 0
    }
}
