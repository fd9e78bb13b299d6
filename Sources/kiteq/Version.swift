/// The version of this program, as `kiteq --version` says it.
enum Version {
    static let current = "0.1.0"
}
