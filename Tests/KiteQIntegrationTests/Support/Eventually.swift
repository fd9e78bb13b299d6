/// What a test waited for did not come.
struct NeverHappened: Error, CustomStringConvertible {
    let description: String
}

/// Waits until a condition holds: for as long as a machine with much else to do may need.
func eventually(
    _ what: String, within limit: Duration = .seconds(90), _ isTrue: () async throws -> Bool
) async throws {
    guard try await happens(within: limit, isTrue) else {
        throw NeverHappened(description: "not within \(limit): \(what)")
    }
}

/// Whether it comes to that: for what passes again, and may be missed.
func happens(within limit: Duration, _ isTrue: () async throws -> Bool) async throws -> Bool {
    let deadline = ContinuousClock.now + limit
    while try await !isTrue() {
        guard ContinuousClock.now < deadline else { return false }
        try await Task.sleep(for: .milliseconds(20))
    }
    return true
}
