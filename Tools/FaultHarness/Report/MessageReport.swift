/// What happened to one message, for people.
package enum MessageReport {
    /// One line for what it was to be, then one for each event, with the faults in between.
    package static func text(
        _ message: UInt32, load: CheckedLoad, key: MessageKey, events: [HistoryEvent], faults: [FaultRecord]
    ) -> String {
        let plan = load.plan(of: message)
        let kind = Topology.kinds[plan.kind]
        var lines = [
            "  message \(message) \(key.id(of: message)): \(plan.way), \(kind.topic)/\(kind.messageType) for "
                + kind.groups.map { Topology.groups[$0] }.joined(separator: ", ")
                + ", \(plan.size) bytes, limit \(plan.deliverLimit)"
                + (plan.isDeadly ? ", deadly" : plan.isPoison ? ", poison" : "")
                + (plan.slowDeliveries > 0 ? ", slow \(plan.slowDeliveries) times" : "")
                + (plan.refusals > 0 ? ", refused \(plan.refusals) times" : "")
        ]
        guard let first = events.first?.time, let last = events.last?.time else { return lines[0] }
        var rows = events.map { (time: $0.time, text: "\($0)") }
        // Faults from a little before its first event to its last.
        for fault in faults where fault.end >= first && fault.start <= last {
            rows.append(
                (
                    fault.start,
                    "-- \(fault.fault.description)"
                ))
        }
        lines += rows.sorted { $0.time < $1.time }.map { "    \(seconds($0.time)) \($0.text)" }
        return lines.joined(separator: "\n")
    }

    static func seconds(_ time: UInt32) -> String {
        let tenths = time % 10_000
        return "\(time / 10_000)." + String("000\(tenths)".suffix(4))
    }
}

extension HistoryEvent: CustomStringConvertible {
    package var description: String {
        switch kind {
        case .delivered:
            "\(kind) \(Topology.groups[Int(group)]) broker \(broker) consumer \(consumer) (#\(delivery)), connected \(MessageReport.seconds(connected))"
        case .accepted, .declined: "\(kind) \(Topology.groups[Int(group)]) broker \(broker) (#\(delivery))"
        default: "\(kind)"
        }
    }
}
