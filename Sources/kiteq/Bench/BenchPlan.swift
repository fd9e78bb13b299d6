/// What is asked of a measurement.
struct BenchPlan: Sendable {
    var connections: Int
    var outstanding: Int
    var size: Int
    var duration: Duration
    /// For each of the ways that are tried to find a ceiling.
    var sweep: Duration
    /// Messages a second of the works that measure latency.
    var rate: Int
    /// Messages that wait for an absent group while another one's are measured.
    var waiting: Int
    /// How long a snapshot is open.
    var snapshot: Duration
    /// Connections of the work `memory`; `idle` has a tenth of them.
    var idleConnections: Int
    /// The broker's, as `kiteq serve --set` takes them.
    var options: [String]
    /// The program that serves; nil: this one.
    var broker: String?

    /// As fast as store acks come.
    func publishing(_ messageType: String, isFly: Bool = false) -> BenchPublishing {
        BenchPublishing(messageType: messageType, outstanding: outstanding, size: size, isFly: isFly)
    }

    /// At the plan's rate, whatever the broker does.
    func paced(_ messageType: String) -> BenchPublishing {
        var publishing = publishing(messageType)
        publishing.interval = Int64(connections) * 1_000_000_000 / Int64(rate)
        return publishing
    }
}
