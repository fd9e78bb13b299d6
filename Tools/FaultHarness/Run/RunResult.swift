/// What a run came to.
package struct RunResult: Sendable {
    package var configuration: HarnessConfiguration
    package var faults: [FaultRecord]
    package var verdict: Verdict
    /// What went wrong besides the history: rows left, brokers that ended by themselves, contents mixed up.
    package var complaints: [String]
    /// From the first publish to the last.
    package var loadTime: Duration
    /// From then until the tables were empty.
    package var drainTime: Duration
    package var acknowledged: Int
    package var accepted: Int
    package var events: Int
    /// Of consumers, over messages that they cannot bear.
    package var connectionsLost: Int
    /// The most resident memory of a broker in any of its lives, bytes; 0 where it was not watched.
    package var peakMemory: Int
    /// For each finding, what happened to its message.
    package var histories: [String]

    /// Whether all holds that must.
    package var isGood: Bool { verdict.findings.isEmpty && complaints.isEmpty }
}
