/// What a test waited for did not come.
struct NeverHappened: Error, CustomStringConvertible {
    let description: String
}

/// Waits until a condition holds: for as long as a machine with much else to do may need.
func eventually(
    _ what: String, within limit: Duration = .seconds(30), _ isTrue: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while try await !isTrue() {
        guard ContinuousClock.now < deadline else { throw NeverHappened(description: "not within \(limit): \(what)") }
        try await Task.sleep(for: .milliseconds(20))
    }
}
