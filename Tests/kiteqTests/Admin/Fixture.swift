import Foundation

@testable import KiteQAdminClient

/// Answers of a broker, as the API writes them.
enum Fixture {
    static func decode<Value: Decodable>(_ type: Value.Type, _ text: String) throws -> Value {
        try APICoding.decoder().decode(type, from: Data(text.utf8))
    }

    static let id = "0123456789abcdef0123456789abcdef"

    static func overview(findings: String = "") -> String {
        """
        {"broker": {"name": "b-1", "address": "10.0.0.1:13800", "incarnation": "7", "state": "serving"}, "version": "0.1.0",
         "startedAt": "2026-01-31T09:00:00.000Z", "now": "2026-01-31T09:30:00.000Z", "health": [\(findings)],
         "rates": {"published": 1234.5, "delivered": 3.21, "acknowledged": 3.2, "failed": 0},
         "totals": {"published": 1, "refused": 0, "delivered": 1, "acknowledged": 1, "failedDeliveries": 0, "deadLettered": 0,
         "committed": 0, "rolledBack": 0},
         "queues": {"awaitingStore": 12, "inFlight": 34, "queued": 5678, "unflushed": 9, "connections": 10, "groups": 2},
         "memory": {"messages": 5712, "bytes": 1300000}, "leases": [{"shard": 0, "remaining": 8.14}]}
        """
    }

    static func finding(_ severity: String, _ text: String) -> String {
        #"{"severity": "\#(severity)", "subject": "shard", "text": "\#(text)", "action": "look at it"}"#
    }

    static func group(_ name: String, waiting: Int, isAtLeast: Bool = false, isPaused: Bool = false) -> String {
        """
        {"group": "\(name)", "isPaused": \(isPaused), "pause": null, "clientsHere": 2, "brokers": ["b-1"], "inFlight": 3,
         "queued": 4, "waiting": {"count": \(waiting), "isAtLeast": \(isAtLeast)}, "oldestAt": "2026-01-31T09:27:30.000Z",
         "retrying": {"count": 0, "isAtLeast": false}, "deadLetters": {"count": 8, "isAtLeast": false}, "nextRetryAt": null, "delivered": 1.5, "acknowledged": 1.5, "failed": 0,
         "totals": {"delivered": 1, "acknowledged": 1, "refused": 0, "timedOut": 0, "deadLettered": 0},
         "countedAt": "2026-01-31T09:30:00.000Z", "unreachable": []}
        """
    }

    static let shards = """
        {"at": "2026-01-31T09:30:00.000Z", "items": [
         {"shard": 0, "isReachable": true, "server": "MariaDB 10.11", "database": "kite_0", "answerTime": 0.0012,
          "counts": {"half": {"count": 1, "isAtLeast": false}, "fresh": {"count": 100000, "isAtLeast": true},
          "tracked": {"count": 0, "isAtLeast": false}}, "deadLetters": {"count": 3, "isAtLeast": false},
          "estimatedRows": 120000, "bytes": 33554432, "historyListLength": null, "oldestAt": "2026-01-31T08:30:00.000Z",
          "pool": {"open": 6, "idle": 5, "waiting": 0}, "unflushed": 2},
         {"shard": 1, "isReachable": false, "reason": "no answer\\nin 2 s"}]}
        """

    static func brokers(unreachable: String = "") -> String {
        """
        {"unreachable": [\(unreachable)], "items": [
         {"name": "b-1", "address": "10.0.0.1:13800", "incarnation": "7", "state": "alive", "joinedAt": "2026-01-31T09:00:00.000Z",
          "isThis": true, "leases": [{"shard": 0, "remaining": 8.1}, {"shard": 1, "remaining": 7.9}], "groups": ["s-a", "s-b"]},
         {"name": "b-2", "address": "10.0.0.2:13800", "incarnation": "8", "state": "gone", "joinedAt": "2026-01-30T09:00:00.000Z",
          "isThis": false, "leases": [], "groups": []}]}
        """
    }

    static func letter(_ letter: String, group: String = "s-a", reason: String = "attempts") -> String {
        """
        {"letter": "\(letter)", "id": "\(id)", "group": "\(group)", "reason": "\(reason)", "attempts": 7,
         "lastError": "no answer\\nin time", "diedAt": "2026-01-31T09:29:00.000Z", "topic": "trade", "messageType": "paid",
         "publisherGroup": "p-1", "publishedAt": "2026-01-31T09:28:00.000Z"}
        """
    }

    static let content =
        #"{"properties": {"order": "17"}, "body": "{\"order\":17}\u001b[2J", "encoding": "text", "isCut": false, "bodyBytes": 1234}"#

    static func page(_ items: [String], next: String? = nil, unreachable: String = "") -> String {
        let next = next.map { "\"\($0)\"" } ?? "null"
        return #"{"items": [\#(items.joined(separator: ","))], "next": \#(next), "unreachable": [\#(unreachable)]}"#
    }
}
