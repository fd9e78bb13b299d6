import ArgumentParser
import Foundation
import KiteQAdminClient

/// `kiteq brokers`
struct BrokersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "brokers",
        abstract: "Show all brokers of the store, with their leases and groups.",
        discussion: "Those that went within the last hour are shown, too. * is the broker that answers.")

    @OptionGroup(title: "Administration") var admin: AdminArguments

    func run() async throws {
        try await admin.show(API.brokers()) { list in
            AdminOutput.print(Self.table(list, now: Date()))
            try AdminOutput.check(list.unreachable)
        }
    }

    static func table(_ list: API.BrokerList, now: Date) -> TextTable {
        var table = TextTable([
            .text("BROKER"), .text("ADDRESS"), .text("STATE"), .text("JOINED"), .number("LEASES"), .number("ENDING IN"),
            .text("GROUPS"),
        ])
        for broker in list.items {
            let shortest = broker.leases.map(\.remaining).min()
            table.add([
                broker.name + (broker.isThis ? " *" : ""), broker.address, broker.state,
                "\(Figures.age(broker.joinedAt, now: now)) ago", "\(broker.leases.count)",
                shortest.map { $0 > 0 ? Figures.duration(seconds: $0) : "ended" } ?? "",
                broker.groups.joined(separator: ","),
            ])
        }
        return table
    }
}
