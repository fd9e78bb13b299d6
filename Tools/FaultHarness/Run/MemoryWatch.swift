import LocalServers
import Synchronization

/// Looks at the brokers' resident memory while they work, and complains where it is above its bound.
final class MemoryWatch: Sendable {
    private let configuration: HarnessConfiguration
    private let servers: Servers
    private let complaints: Complaints
    private let most = Mutex(0)

    init(_ configuration: HarnessConfiguration, _ servers: Servers, _ complaints: Complaints) {
        self.configuration = configuration
        self.servers = servers
        self.complaints = complaints
    }

    /// The most that any broker had, by the kernel's own mark: between two looks nothing is missed but what a broker had in the
    /// last moments before it was killed.
    var peak: Int { most.withLock { $0 } }

    /// Returns when its task is cancelled.
    func run() async throws {
        var isTold = false
        while true {
            for broker in servers.brokers {
                guard let pid = broker.program.pid else { continue }
                let usage: ProcessUsage
                do {
                    usage = try ProcessUsage(of: pid)
                } catch is LocalServerError {
                    continue  // It has died since.
                }
                most.withLock { $0 = max($0, usage.peak) }
                if usage.peak > configuration.residentLimit, !isTold {
                    isTold = true
                    complaints.note(
                        """
                        broker-\(broker.number) had \(usage.peak >> 20) MiB of resident memory; the bound is \
                        \(configuration.residentLimit >> 20) MiB
                        """)
                }
            }
            try await Task.sleep(for: .milliseconds(250))
        }
    }
}
