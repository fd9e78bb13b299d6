/// Who beside its owner may reach a file that holds secrets.
package enum SecretFileRule: String, Sendable, Hashable, CaseIterable {
    /// It is root's or the process's user's, others may not write it, and only its group may read it.
    case `private`
    /// The same, and everybody may read it: what Kubernetes mounts unless it is told a mode.
    case readable
    /// Nothing is looked at.
    case unchecked
}
