import KiteQCore
import Synchronization

/// The accounts of the groups that have limits. One stays for as long as somebody has it at hand or something is used of it: who
/// leaves and comes back does not begin anew.
final class GroupAccounts: Sendable {
    fileprivate struct State {
        var accounts: [BindingName: GroupAccount] = [:]
        /// How many there may be before those are looked for that can be forgotten.
        var enough = GroupAccounts.fewest
        /// Undecided half messages, as the store was last asked.
        var undecided: [BindingName: Int] = [:]
    }

    fileprivate static let fewest = 1_000
    private let state = Mutex(State())
    private let isUsed = Atomic<Bool>(false)

    /// The account of this group; always the same while anybody has it.
    func account(of group: String, now: MonotonicTime) -> GroupAccount {
        state.withLock { state in
            let name = BindingName(group)
            if let account = state.accounts[name] { return account }
            if state.accounts.count >= state.enough { state.forget(now: now) }
            let account = GroupAccount(undecided: state.undecided[name] ?? 0)
            state.accounts[name] = account
            isUsed.store(true, ordering: .relaxed)
            return account
        }
    }

    var count: Int { state.withLock { $0.accounts.count } }

    // MARK: Half messages

    /// Half messages were decided here: the groups that published them, one for each.
    func decided(_ groups: [String]) {
        guard !groups.isEmpty, isUsed.load(ordering: .relaxed) else { return }
        for (group, some) in Dictionary(grouping: groups, by: BindingName.init) {
            state.withLock { $0.accounts[group] }?.withHalfMessages { $0.decided(some.count) }
        }
    }

    /// The store is about to be asked how many there are.
    func beginLook() {
        for account in state.withLock({ Array($0.accounts.values) }) { account.withHalfMessages { $0.beginLook() } }
    }

    /// What it said; a group that is not named has none.
    func endLook(found: [BindingName: Int]) {
        let accounts = state.withLock { state in
            state.undecided = found
            return state.accounts
        }
        for (group, account) in accounts { account.withHalfMessages { $0.endLook(found: found[group] ?? 0) } }
    }
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
