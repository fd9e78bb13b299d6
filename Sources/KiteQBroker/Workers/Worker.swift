import KiteQCore

/// What works beside the sessions for as long as a broker lives.
protocol Worker: Sendable {
    /// Returns when its task is cancelled.
    func run() async
}

extension LeaseKeeper: Worker {}
extension LeaseWatcher: Worker {}
extension QuotaSurvey: Worker {}
extension RateSampler: Worker {}
extension RecoveryWorker: Worker {}
extension Surveyor: Worker {}
extension Sweeper: Worker {}
extension TransactionWorker: Worker {}
extension WriteProbe: Worker {}

/// Tells the parts that act by the clock that time has passed.
struct Ticker: Worker {
    let dispatcher: Dispatcher
    let publishing: PublishPipeline
    let clock: any ProcessClock

    func run() async {
        while !Task.isCancelled {
            dispatcher.tick()
            publishing.tick()
            // What is begun while it rests, and due at once, is seen to a quarter of a second late.
            let isIdle = dispatcher.gauges.messages == 0 && publishing.depth.items == 0
            await clock.pause(isIdle ? .milliseconds(250) : .milliseconds(50))
        }
    }
}
