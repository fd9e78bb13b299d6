import KiteQCore
import Synchronization

/// The accounts of the groups that have limits. One stays for as long as somebody has it at hand or something is used of it: who
/// leaves and comes back does not begin anew.
final class GroupAccounts: Sendable {
    fileprivate struct State {
        var accounts: [BindingName: GroupAccount] = [:]
        /// How many there may be before those are looked for that can be forgotten.
        var enough = GroupAccounts.fewest
    }

    fileprivate static let fewest = 1_000
    private let state = Mutex(State())

    /// The account of this group; always the same while anybody has it.
    func account(of group: String, now: MonotonicTime) -> GroupAccount {
        state.withLock { state in
            let name = BindingName(group)
            if let account = state.accounts[name] { return account }
            if state.accounts.count >= state.enough { state.forget(now: now) }
            let account = GroupAccount()
            state.accounts[name] = account
            return account
        }
    }

    var count: Int { state.withLock { $0.accounts.count } }
}

extension GroupAccounts.State {
    /// Names are the clients' to choose where no group is asked who it is: so that memory does not grow with them.
    fileprivate mutating func forget(now: MonotonicTime) {
        for name in Array(accounts.keys) {
            guard var account = accounts.removeValue(forKey: name) else { continue }
            let isForgettable = isKnownUniquelyReferenced(&account) && account.isForgettable(now: now)
            if !isForgettable { accounts[name] = account }
        }
        enough = max(GroupAccounts.fewest, 2 * accounts.count)
    }
}
