import KiteQ
import KiteQCore
import KiteQStore
import Testing

extension WholeBrokerTests {
    /// Dead letters that a person gives back beside a running broker.
    @Suite struct RequeueTests {}
}

extension WholeBrokerTests.RequeueTests {
    private struct NotNow: Error {}

    @Test func aDeadLetterComesBackToItsGroupAlone() async throws {
        let database = try await Database.migrated()
        let store = try database.configuration()
        let bindings = ["s-picky", "s-member", "s-away"]
        try await HostedBroker.run(store, groups: bindings) { broker in
            let (ledger, gate) = (Ledger(), Gate())
            let producer = try producer(await broker.discovery())
            let member = try consumer("s-member", await broker.discovery()) { ledger.got($0, "s-member") }
            let picky = try consumer("s-picky", await broker.discovery()) { message in
                if !gate.isOpen { throw NotNow() }
                ledger.got(message, "s-picky")
            }
            let away = try consumer("s-away", await broker.discovery()) { ledger.got($0, "s-away") }
            try await running([producer, member, picky]) {
                // s-away still waits for the one, and has the other.
                for text in ["had", "waiting"] {
                    var message = OutgoingMessage.paid(text)
                    message.deliverLimit = 2
                    #expect(try await ledger.publish(message, producer) == nil)
                    try await eventually("'\(text)' is dead") {
                        try await database.count("kite_dead_letter", where: "body = '\(text)'") == 1
                    }
                    guard text == "had" else { continue }
                    try await running([away]) {
                        try await eventually("s-away has it") { ledger.times(text, "s-away") == 1 }
                        try await database.isEmptied()
                    }
                }
                gate.open()
                try await DeadLetterStore.with(store, logger: quiet) { letters in
                    for letter in try await letters.list(DeadLetterFilter(), limit: 10).letters {
                        #expect(letter.group == "s-picky")
                        #expect(try await letters.requeue(letter.id) == .requeued(groups: ["s-picky"]))
                    }
                }
                try await eventually("they are delivered") { ledger.missing("s-picky").isEmpty }
                try await eventually("that is written") { try await database.count("kite_delivery") == 1 }
                #expect(try await database.count("kite_delivery", where: "group_name = 's-away'") == 1)
                let late = try consumer("s-away", await broker.discovery()) { ledger.got($0, "s-away") }
                try await running([late]) {
                    try await eventually("s-away has both") { ledger.missing("s-away").isEmpty }
                    try await database.isEmptied()
                }
                for group in bindings { #expect(ledger.count(group) == 2 && ledger.repeated(group).isEmpty) }
                #expect(try await database.count("kite_dead_letter") == 0)
            }
        }
    }
}
