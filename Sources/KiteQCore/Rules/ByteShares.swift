/// Bytes of memory that are handed out to keys and come back: a pure rule. A key is a group or an address; each may have a share, and all
/// together what there is.
package struct ByteShares: Sendable {
    private let all: Int
    private let share: Int
    package private(set) var taken = 0
    private var byKey: [String: Int] = [:]

    package init(all: Int, share: Int) {
        self.all = all
        self.share = share
    }

    /// Takes so many bytes for each of the keys, or for none: false then.
    package mutating func take(_ bytes: Int, for keys: [String]) -> Bool {
        guard taken + bytes <= all, keys.allSatisfy({ byKey[$0, default: 0] + bytes <= share }) else { return false }
        taken += bytes
        for key in keys { byKey[key, default: 0] += bytes }
        return true
    }

    package mutating func giveBack(_ bytes: Int, for keys: [String]) {
        taken -= bytes
        for key in keys {
            let left = byKey[key, default: 0] - bytes
            byKey[key] = left > 0 ? left : nil
        }
    }
}
