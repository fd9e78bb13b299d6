import KiteQCore
import Synchronization

/// Deliveries to callers that have no connection.
extension Dispatcher {
    /// A caller waits: `sink` gets one batch, or nothing, until ``endPull(_:)`` or ``forgetSink(of:)``.
    func pull(
        into sink: any DeliverySink, group: String, max: Int, visibility: MonotonicTime, key: UInt64
    ) -> Result<DeliveryClientID, DeliveryMachine.PullRefusal> {
        let (result, sinks, burials) = state.withLock { state in
            var moment = currentMoment()
            let wasPresent = state.machine.isPresent(group)
            // Present before the first message is routed past it.
            if !wasPresent { routing.setPresence(of: group, true) }
            let result = state.machine.pull(
                group: group, max: max, visibility: visibility, key: key, &moment)
            switch result {
            case .success(let id): state.sinks[id] = sink
            case .failure: if !wasPresent { routing.setPresence(of: group, false) }
            }
            return (result, carryOut(moment.actions, &state), moment.actions.burials)
        }
        send(to: sinks)
        deadLetterLog.write(burials)
        return result
    }

    /// It waits no more; what it was sent goes back and was no attempt.
    func endPull(_ client: DeliveryClientID) {
        perform {
            $0.endPull(client, &$1)
        } cleanUp: {
            $0.sinks[client] = nil
        }
    }

    /// It has got its batch.
    func forgetSink(of client: DeliveryClientID) {
        perform { _, _ in
        } cleanUp: {
            $0.sinks[client] = nil
        }
    }

    func settle(
        _ receipts: [DeliveryMachine.PullReceipt], group: String, isSuccess: Bool, reason: String?
    ) -> [DeliveryMachine.Settled] {
        perform {
            $0.settle(receipts, group: group, isSuccess: isSuccess, reason: reason, &$1)
        }
    }

    /// The broker stops: what callers have in their hands comes again.
    func endPulls() {
        perform { $0.endPulls(&$1) }
    }
}
