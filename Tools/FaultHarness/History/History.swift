import Synchronization

/// All that happened in a run, in memory, in the order in which it was noted; and what is open now.
package final class History: Sendable {
    package struct Delivery: Sendable {
        let message: UInt32
        let group: Int
        let broker: Int
        let consumer: Int
        let number: UInt8
        fileprivate let life: Int
        /// Whether its consumer is to refuse it.
        let isToBeRefused: Bool
    }

    /// What is under way.
    package struct Gauges: Sendable {
        package var publishesOpen = 0
        /// By broker; what a broker that was killed had open is not counted.
        package var deliveriesOpen: [Int]
        /// Stored messages' groups that have not accepted them yet.
        package var owed = 0
        package var acknowledged = 0
        package var accepted = 0
        package var messages: UInt32 = 0
    }

    private struct State {
        var events: [HistoryEvent] = []
        var messages: [MessageState] = []
        var gauges: Gauges
        /// Of each broker: how often it was ended, and when it was for the last time.
        var lives: [Int]
        var ends: [UInt32]
        var lastDelivery: UInt32 = 0
        var losses: [ConnectionLoss] = []
    }

    package let seed: UInt64
    private let start = ContinuousClock.now
    private let state: Mutex<State>

    package init(seed: UInt64, brokers: Int) {
        self.seed = seed
        state = Mutex(
            State(
                gauges: Gauges(deliveriesOpen: Array(repeating: 0, count: brokers)),
                lives: Array(repeating: 0, count: brokers), ends: Array(repeating: 0, count: brokers)))
    }

    /// Units of 0.1 ms since the start.
    package var now: UInt32 { time(.now) }

    private func time(_ instant: ContinuousClock.Instant) -> UInt32 {
        UInt32(clamping: Int64((instant - start) / .microseconds(100)))
    }

    package var gauges: Gauges { state.withLock { $0.gauges } }
    package var lastDelivery: UInt32 { state.withLock { $0.lastDelivery } }
    package var losses: [ConnectionLoss] { state.withLock { $0.losses } }
    package var events: [HistoryEvent] { state.withLock { $0.events } }

    // MARK: Publishing

    /// The number of the next message.
    package func nextMessage() -> UInt32 {
        state.withLock { state in
            state.messages.append(MessageState())
            state.gauges.messages += 1
            return state.gauges.messages - 1
        }
    }

    package func beginPublish(_ message: UInt32) {
        let now = self.now
        state.withLock { state in
            state.gauges.publishesOpen += 1
            state.events.append(HistoryEvent(time: now, message: message, kind: .published))
        }
    }

    package func endPublish(_ message: UInt32, _ outcome: HistoryEvent.Kind) {
        let now = self.now
        state.withLock { state in
            state.gauges.publishesOpen -= 1
            state.events.append(HistoryEvent(time: now, message: message, kind: outcome))
            if outcome == .acknowledged { state.gauges.acknowledged += 1 }
        }
    }

    /// The sender has come to its end with a message.
    func settle(_ message: UInt32, _ plan: MessagePlan, isStored: Bool) {
        state.withLock { state in
            state.messages[Int(message)].sender = isStored ? .stored : .givenUp
            guard isStored, !plan.isHalf || plan.isToBeCommitted else { return }
            let finished = state.messages[Int(message)].finished.nonzeroBitCount
            state.gauges.owed += Topology.kinds[plan.kind].groups.count - finished
        }
    }

    /// A message that was rolled back has a new life, in which it is delivered.
    func owe(_ message: UInt32, _ plan: MessagePlan) {
        state.withLock { $0.gauges.owed += Topology.kinds[plan.kind].groups.count }
    }

    func sender(of message: UInt32) -> MessageState.Sender? {
        state.withLock { $0.messages.indices.contains(Int(message)) ? $0.messages[Int(message)].sender : nil }
    }

    package func note(_ message: UInt32, _ kind: HistoryEvent.Kind) {
        let now = self.now
        state.withLock { $0.events.append(HistoryEvent(time: now, message: message, kind: kind)) }
    }

    // MARK: Consuming

    /// - Parameters:
    ///   - connectedAt: when the connection that brought it was made. What a life of its broker sent that is over by now has
    ///     waited in this process since: it counts from that life's end.
    ///   - isRefused: told how often the group refused the message before.
    package func beginDelivery(
        _ message: UInt32, group: Int, broker: Int, consumer: Int = 0, connectedAt: ContinuousClock.Instant,
        isRefused: (_ before: Int) -> Bool
    ) -> Delivery {
        let (now, connected) = (self.now, time(connectedAt))
        return state.withLock { state in
            let number = state.messages[Int(message)].begin(group)
            state.lastDelivery = now
            let isLate = connected < state.ends[broker]
            let time = isLate ? state.ends[broker] : now
            if !isLate { state.gauges.deliveriesOpen[broker] += 1 }
            state.events.append(
                HistoryEvent(
                    time: time, message: message, kind: .delivered, group: group, broker: broker, consumer: consumer,
                    delivery: number, connected: connected))
            return Delivery(
                message: message, group: group, broker: broker, consumer: consumer, number: number,
                life: state.lives[broker] - (isLate ? 1 : 0),
                isToBeRefused: isRefused(state.messages[Int(message)].refusals(of: group)))
        }
    }

    /// Noted before the answer is sent.
    package func endDelivery(_ delivery: Delivery, isPoison: Bool) {
        let now = self.now
        state.withLock { state in
            if state.lives[delivery.broker] == delivery.life { state.gauges.deliveriesOpen[delivery.broker] -= 1 }
            let message = Int(delivery.message)
            let kind: HistoryEvent.Kind = delivery.isToBeRefused ? .declined : .accepted
            state.events.append(
                HistoryEvent(
                    time: now, message: delivery.message, kind: kind, group: delivery.group, broker: delivery.broker,
                    consumer: delivery.consumer, delivery: delivery.number))
            if delivery.isToBeRefused {
                _ = state.messages[message].refuse(delivery.group)
                if !isPoison { return }
            } else {
                state.gauges.accepted += 1
            }
            let bit = UInt8(1) << UInt8(delivery.group)
            guard state.messages[message].finished & bit == 0 else { return }
            state.messages[message].finished |= bit
            if state.messages[message].sender == .stored { state.gauges.owed -= 1 }
        }
    }

    /// Noted before the connection is closed.
    package func loseConnection(group: Int, broker: Int, consumer: Int) {
        let now = self.now
        state.withLock {
            $0.losses.append(ConnectionLoss(time: now, group: group, broker: broker, consumer: consumer))
        }
    }

    /// A broker's life is over: what it had open is nobody's any more.
    package func endLife(ofBroker broker: Int) {
        let now = self.now
        state.withLock { state in
            state.lives[broker] += 1
            state.ends[broker] = now
            state.gauges.deliveriesOpen[broker] = 0
        }
    }
}
