/// What runs where, for somebody who has just started it.
struct DevScreen {
    let plan: DevPlan
    let serving: BrokerHost.Serving
    let socket: String

    var lines: [String] {
        var lines = [
            "KiteQ runs on this machine:",
            "  broker    \(serving.address)   topics \(serving.topics.joined(separator: ", "))",
        ]
        if let admin = serving.admin { lines.append("  admin     http://\(admin)/healthz, /readyz, /metrics") }
        lines += [
            "  store     MariaDB on 127.0.0.1:\(plan.databasePort), databases kite_0 … kite_\(DevPlan.shards - 1)",
            "            mariadb -u root -S \(socket) kite_0",
            "  bindings  \(plan.shownFolder)/registry.yaml, read again when it changes",
        ]
        if plan.isDemo { return lines }
        let example = plan.topics[0]
        return lines + [
            "  publish   kiteq publish --brokers \(serving.address) --topic \(example) --type pay-succ 'hello'",
            "  consume   kiteq consume --brokers \(serving.address) --group s-\(example) --topic \(example) --type pay-succ",
            "Ctrl-C stops it all; the data stay in \(plan.shownFolder).",
        ]
    }
}
