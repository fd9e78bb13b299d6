import KiteQCore

/// How many fly messages are on their way to a consumer, of all connections of the load; lives on its event loop.
///
/// The store ack of a fly message comes at once and says nothing of its delivery: whoever goes by it soon publishes more than can be
/// delivered, the broker drops the rest, and what they cost would count for those that arrive.
final class FlyWindow {
    /// Half of what a broker keeps for a group that does not keep up.
    private static let most = DeliveryLimits().queueLength / 2

    private let limit: Int
    private var onTheirWay = 0
    private var publishers: [() -> Void] = []
    private var hasNews = false

    /// - Parameter asked: for all connections together; at most ``most`` are taken.
    init(asked: Int) { limit = min(asked, Self.most) }

    var hasRoom: Bool { onTheirWay < limit }

    /// - Parameter publish: called when there is room again.
    func add(_ publish: @escaping () -> Void) { publishers.append(publish) }

    func published() { onTheirWay += 1 }

    func delivered() {
        onTheirWay -= 1
        hasNews = true
    }

    /// What one read brought is counted.
    func publishAgain() {
        guard hasNews else { return }
        hasNews = false
        for publish in publishers where hasRoom { publish() }
    }
}
