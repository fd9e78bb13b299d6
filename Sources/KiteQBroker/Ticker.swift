/// Calls something again and again until its task is cancelled.
struct Ticker: Sendable {
    let interval: Duration
    let body: @Sendable () -> Void

    init(interval: Duration, _ body: @escaping @Sendable () -> Void) {
        self.interval = interval
        self.body = body
    }

    func run() async {
        while true {
            do {
                try await Task.sleep(for: interval)
            } catch {
                return  // Cancelled.
            }
            body()
        }
    }
}
