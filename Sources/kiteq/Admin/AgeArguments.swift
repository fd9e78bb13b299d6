import ArgumentParser
import Foundation
import KiteQAdminClient

/// The flags that say from when things are, by their age.
struct AgeArguments: ParsableArguments {
    @Option(help: ArgumentHelp("From longer ago than this, such as 2d.", valueName: "duration"), transform: Self.age)
    var olderThan: Duration?

    @Option(help: ArgumentHelp("From since then, such as 12h.", valueName: "duration"), transform: Self.age)
    var newerThan: Duration?

    func validate() throws {
        if let olderThan, let newerThan, olderThan >= newerThan {
            throw ValidationError("Nothing is older than --older-than and newer than --newer-than.")
        }
    }

    var isEmpty: Bool { olderThan == nil && newerThan == nil }

    /// The times between which things must be. Ages are counted by the broker's clock, which is asked where it matters.
    func times(_ client: AdminClient) async throws -> (from: Date?, before: Date?) {
        if isEmpty { return (nil, nil) }
        return times(now: try await client.send(API.overview()).now)
    }

    func times(now: Date) -> (from: Date?, before: Date?) {
        func time(_ age: Duration) -> Date { now.addingTimeInterval(-(age / .seconds(1))) }
        return (newerThan.map(time), olderThan.map(time))
    }

    private static func age(_ text: String) throws -> Duration {
        guard let duration = DurationText.parse(text) else {
            throw ValidationError("write a whole number and a unit: 30m, 12h, 7d")
        }
        return duration
    }
}
