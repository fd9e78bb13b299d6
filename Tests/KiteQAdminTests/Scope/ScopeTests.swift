import Foundation
import Hummingbird
import KiteQBroker
import KiteQCore
import KiteQStore
import NIOCore
import Testing

@testable import KiteQAdmin

/// Tokens for some topics and groups alone: lines of docs/threat-model.md.
@Suite(.timeLimit(.minutes(3))) struct ScopeTests {
    /// Every route that a token opens, and what a token for some topics and groups gets of it. A route that is not here fails the
    /// test: whoever adds one says what it is, and sees that it holds.
    private static let rules: [String: ScopeRule] = [
        "GET session": .apart,
        "GET overview": .within, "GET brokers": .within, "GET shards": .whole, "GET history": .within,
        "GET topics": .within, "GET groups": .within, "GET groups/{group}": .within, "GET bindings": .within,
        "GET connections": .within, "GET messages": .within, "GET messages/{id}": .within,
        "GET transactions": .within, "GET dead-letters": .within, "GET dead-letters/{letter}": .within,
        "POST dead-letters/count": .within, "GET configuration": .whole, "GET audit": .within,
        "POST groups/{group}/pause": .within, "POST groups/{group}/resume": .within,
        "POST groups/{group}/unbind": .within, "POST transactions/{id}/commit": .within,
        "POST transactions/{id}/rollback": .within, "POST dead-letters/requeue": .within,
        "POST dead-letters/delete": .within, "POST broker/drain": .whole, "POST broker/reload": .whole,
    ]
    /// Those that take no token.
    private static let others: Set<String> = [
        "GET openapi.yaml", "POST publish", "POST subscribe", "POST pull", "POST acknowledge", "POST refuse",
    ]

    private static func routes(_ services: AdminServices) -> Set<String> {
        let all = AdminRouter.forTest(services).routes().routes
        let api = all.map { ("\($0.method)", "\($0.path)") }.filter { $0.1.hasPrefix("/api/v1/") }
        return Set(api.map { "\($0.0) \($0.1.dropFirst("/api/v1/".count))" })
    }

    /// Asks a route about what is the others'.
    private static func ask(
        _ route: String, _ admin: AdminFixture, _ teams: TwoTeams, token: String
    ) async throws -> AdminFixture.Answer {
        let path = route.split(separator: " ")[1].replacingOccurrences(of: "{group}", with: "s-vault")
            .replacingOccurrences(of: "{id}", with: teams.halfOfOthers.description)
            .replacingOccurrences(of: "{letter}", with: teams.letterOfOthers.description)
        guard route.hasPrefix("POST") else { return try await admin.get(path, token: token) }
        let body =
            switch route {
            case "POST dead-letters/count": "{}"
            case "POST dead-letters/requeue", "POST dead-letters/delete":
                #"{"letters": ["\#(teams.letterOfOthers)"]}"#
            default: #"{"reason": "x"}"#
            }
        return try await admin.post(path, body, token: token)
    }

    @Test func everyRouteSaysWhatATokenForSomeGets() async throws {
        try await TwoTeams.serving { admin, teams in
            let routes = Self.routes(admin.openServices)
            #expect(routes == Set(Self.rules.keys).union(Self.others))
            for (route, rule) in Self.rules.sorted(by: { $0.key < $1.key }) {
                for token in ["none", "team"] {
                    let answer = try await Self.ask(route, admin, teams, token: token)
                    let isRefused = [403, 404].contains(answer.status)
                    switch rule {
                    case .whole:
                        #expect(
                            answer.status == 403 && answer.text.contains("whole broker"), "\(route): \(answer.text)")
                    case .within:
                        #expect(isRefused || answer.status == 200, "\(route): \(answer.text)")
                        #expect(!route.hasPrefix("POST") || isRefused || route.hasSuffix("count"), "\(route)")
                    case .apart: #expect(answer.status == 200, "\(route)")
                    }
                    if route == "POST dead-letters/count" {
                        #expect(try answer.object()["count"] as? Int == (token == "team" ? 1 : 0))
                    }
                    if isRefused { continue }
                    for other in ["vault", "gold", "4242"] + teams.idsOfOthers {
                        #expect(!answer.text.contains(other), "\(route) says \(other): \(answer.text)")
                    }
                    guard token == "none", rule == .within else { continue }
                    for own in ["trade", "s-member", "p-pay", teams.fresh.description, teams.half.description] {
                        #expect(!answer.text.contains(own), "\(route) says \(own): \(answer.text)")
                    }
                }
            }
            // Nothing was done to it.
            #expect(try await admin.store.deadLetter(teams.letterOfOthers) != nil)
            #expect(try await admin.store.story(of: teams.halfOfOthers)?.transaction?.outcome == .undecided)
            #expect(admin.broker.status?.phase == .serving)
        }
    }

    /// Else the test above would hold for a broker that says nothing to anybody.
    @Test func whoMaySeeAllIsToldOfBoth() async throws {
        try await TwoTeams.serving { admin, teams in
            for route in [
                "topics", "groups", "messages", "transactions", "dead-letters", "audit", "bindings",
                "messages/\(teams.shared)", "groups/s-vault", "dead-letters/\(teams.letterOfOthers)",
            ] {
                let answer = try await admin.get(route, token: "r")
                #expect(answer.status == 200 && answer.text.contains("vault"), "\(route)")
            }
            #expect(try await admin.get("history", token: "r").text.contains("4249"))
        }
    }

    @Test func whatIsWithinIsSeen() async throws {
        try await TwoTeams.serving { admin, teams in
            func items(_ path: String, _ key: String) async throws -> [String] {
                try await admin.get(path, token: "team").items().compactMap { $0[key] as? String }
            }
            #expect(try await items("topics", "topic") == ["trade"])
            #expect(try await items("groups", "group") == ["s-member"])
            #expect(try await items("groups?search=MEMB", "group") == ["s-member"])
            #expect(try await items("bindings", "group") == ["s-member"])
            let owed = Set([teams.fresh, teams.shared].map(\.description))
            #expect(try await Set(items("messages?group=s-member", "id")) == owed)
            #expect(try await items("messages?state=half", "id") == [teams.half.description])
            #expect(try await items("transactions", "id") == [teams.half.description])
            #expect(try await items("dead-letters", "letter") == [teams.letter.description])
            #expect(try await items("audit", "target") == ["s-member"])
            #expect(try await admin.get("history", token: "team").text.contains(#""published":7"#))
            let session = try await admin.get("session", token: "team").object()
            #expect(session["topics"] as? [String] == ["trade"])
            #expect(session["groups"] as? [String] == ["p-pay", "s-member"])
            let overview = try await admin.get("overview", token: "team")
            for sum in ["rates", "totals", "queues", "memory"] { #expect(try overview.object()[sum] == nil) }
            #expect(overview.text.contains("own pause"))
            let topics = try await admin.get("topics", token: "team").object()
            let half = try await admin.get("messages?group=s-member&limit=1", token: "team").object()
            #expect(topics["counted"] as? Int == 4, "of its own topics: \(topics)")
            #expect(half["next"] as? String != nil)
        }
    }

    /// What is named is refused before anything is looked up; what has an id is as if it were not there.
    @Test func whatIsNotSaysNotWhetherItIsThere() async throws {
        try await TwoTeams.serving { admin, teams in
            for name in ["s-vault", "s-invented"] {
                for path in [
                    "groups/\(name)", "messages?group=\(name)", "dead-letters?group=\(name)",
                    "connections?group=\(name)",
                    "bindings?group=\(name)",
                ] {
                    let answer = try await admin.get(path, token: "team")
                    #expect(answer.status == 403, "\(path)")
                    #expect(try answer.object()["detail"] as? String == "team is not for group \(name)")
                }
            }
            for topic in ["vault", "invented"] {
                for path in ["messages?topic=\(topic)&state=half", "history?topic=\(topic)", "bindings?topic=\(topic)"]
                {
                    let answer = try await admin.get(path, token: "team")
                    #expect(try answer.object()["detail"] as? String == "team is not for topic \(topic)", "\(path)")
                }
            }
            let unknown = String(repeating: "0", count: 32)
            for (there, absent) in [
                ("messages/\(teams.freshOfOthers)", "messages/\(unknown)"),
                ("messages/\(teams.tradeForOthers)", "messages/\(unknown)"),
                ("dead-letters/\(teams.letterOfOthers)", "dead-letters/0:999"),
            ] {
                let answers = [try await admin.get(there, token: "team"), try await admin.get(absent, token: "team")]
                let details = try answers.map { answer in
                    ((try answer.object()["detail"] as? String) ?? "").replacingOccurrences(
                        of: "(\(teams.idsOfOthers.joined(separator: "|"))|\(unknown)|0:999)", with: "ID",
                        options: .regularExpression)
                }
                #expect(answers.map(\.status) == [404, 404] && details[0] == details[1], "\(details)")
            }
            // A row does not say whom it is owed to.
            #expect(try await admin.get("messages", token: "team").status == 403)
            #expect(try await admin.get("messages?topic=trade", token: "topics").items().count == 4)
        }
    }

    @Test func ofOneMessageTheOtherGroupsAreLeftOut() async throws {
        try await TwoTeams.serving { admin, teams in
            let story = try await admin.get("messages/\(teams.shared)", token: "team")
            #expect(story.status == 200 && story.text.contains("own body") && !story.text.contains("vault"))
            let groups = try story.object()["groups"] as? [[String: any Sendable]]
            #expect(groups?.compactMap { $0["group"] as? String } == ["s-member"])
        }
    }

    @Test func whoMayActActsOnHisOwnAlone() async throws {
        try await TwoTeams.serving { admin, teams in
            func act(_ path: String, _ body: String = #"{"reason": "x"}"#) async throws -> AdminFixture.Answer {
                try await admin.post(path, body, token: "team")
            }
            #expect(try await act("groups/s-member/resume", "{}").status == 200)
            let both = #"{"letters": ["\#(teams.letter)", "\#(teams.letterOfOthers)"]}"#
            let absent = #"{"letters": ["\#(teams.letter)", "0:999"]}"#
            for (body, letter) in [(both, teams.letterOfOthers.description), (absent, "0:999")] {
                let answer = try await act("dead-letters/delete", body)
                #expect(answer.status == 404 && answer.text.contains("no dead letter \(letter) for this token"))
            }
            #expect(try await admin.store.deadLetter(teams.letter) != nil, "nothing is done by halves")
            for topic in ["vault", "invented"] {
                let all = #"{"filter": {"topic": "\#(topic)"}, "count": 1}"#
                #expect(try await act("dead-letters/delete", all).status == 403)
            }
            let requeued = try await act("dead-letters/requeue", #"{"filter": {}, "count": 1}"#)
            #expect(try requeued.object()["done"] as? Int == 1, "of its own, though two match")
            #expect(try await admin.store.deadLetter(teams.letterOfOthers) != nil)

            #expect(try await act("transactions/\(teams.half)/rollback").status == 200)
            let others = try await act("transactions/\(teams.halfOfOthers)/rollback")
            let unknown = try await act("transactions/\(String(repeating: "0", count: 32))/rollback")
            #expect(others.status == 404 && unknown.status == 404)
            // Unbinding by no name is about all topics.
            let unbind = try await act("groups/s-member/unbind")
            #expect(unbind.status == 403 && unbind.text.contains("name those"), "\(unbind.text)")
            let vault = #"{"reason": "x", "topics": ["trade", "vault"]}"#
            #expect(try await act("groups/s-member/unbind", vault).status == 403)
            #expect(try await act("groups/s-member/unbind", #"{"reason": "x", "topics": ["trade"]}"#).status == 200)
        }
    }

    /// A commit names the groups that it went to, in its answer and in the audit log.
    @Test func aCommitNamesNobodyElsesGroups() async throws {
        let policy = AccessPolicy(tokens: [
            AdminFixture.operate,
            AccessToken(
                name: "team", role: .operate, scope: NameScope(groups: [BindingName("p-pay")]),
                hash: AccessToken.hash(of: "team")),
        ])
        try await TwoTeams.serving(policy: policy) { admin, teams in
            let done = try await admin.post("transactions/\(teams.half)/commit", #"{"reason": "x"}"#, token: "team")
            #expect(try done.object()["done"] as? String == "committed, for groups of others")
            #expect(try await admin.get("audit", token: "team").items().isEmpty)
            let entry = try #require(try await admin.get("audit").items().first)
            #expect(entry["outcome"] as? String == "done: committed, for s-member")
        }
    }

    @Test func whatIsRefusedIsWrittenDown() async throws {
        try await TwoTeams.serving { admin, teams in
            for (path, body, target, outcome) in [
                ("groups/s-vault/pause", #"{"reason": "x"}"#, "s-vault", "refused: 403 team is not for group s-vault"),
                ("broker/drain", #"{"reason": "x"}"#, "test", "refused: 403 team is for some topics or groups alone"),
                (
                    "transactions/\(teams.halfOfOthers)/commit", #"{"reason": "x"}"#, teams.halfOfOthers.description,
                    "failed: no half message"
                ),
                (
                    "dead-letters/delete", #"{"letters": ["\#(teams.letterOfOthers)"]}"#,
                    teams.letterOfOthers.description, "failed: there is no dead letter"
                ),
            ] {
                _ = try await admin.post(path, body, token: "team")
                let entry = try #require(try await admin.get("audit?limit=1").items().first)
                #expect(entry["actor"] as? String == "team" && entry["target"] as? String == target, "\(entry)")
                #expect((entry["outcome"] as? String)?.hasPrefix(outcome) == true, "\(entry)")
            }
            let page = try await admin.get("/metrics").text
            #expect(page.contains(#"kiteq_http_refusals_total{reason="scope"} 2"#))
        }
    }

    /// Others' acts neither show nor keep a page from its end; and no page looks at all there is.
    @Test func theAuditLogIsPagedWithinAScope() async throws {
        try await TwoTeams.serving { admin, teams in
            for number in 0..<1_200 {
                let group = number % 400 == 0 ? "s-member" : "s-vault"
                _ = try await admin.store.appendAudit(
                    AuditEntry(
                        actor: "a", role: "operate", remote: "r", action: "groups.pause", target: group,
                        outcome: "\(number)"))
            }
            var (found, cursor, pages) = ([String](), String?.none, 0)
            repeat {
                let query = cursor.map { "audit?limit=2&cursor=\($0)" } ?? "audit?limit=2"
                let page = try await admin.get(query, token: "team")
                found += try page.items().compactMap { $0["outcome"] as? String }
                cursor = try page.object()["next"] as? String
                pages += 1
            } while cursor != nil && pages < 20
            #expect(found == ["800", "400", "0", "done"])
            #expect((3...5).contains(pages), "500 entries a page: \(pages)")
        }
    }

    /// A page of half messages looks at 500, and goes on where it ended.
    @Test func halfMessagesArePagedWithinAScope() async throws {
        let store = InMemoryMessageStore(shards: 1)
        _ = try await store.join(as: BrokerIdentity(name: "test", address: "127.0.0.1:1"))
        let halves = (Int64(1)...1_100).map { number in
            Insertion(
                seq: number,
                message: Message(
                    id: .random(), kind: .string, topic: number % 300 == 0 ? "trade" : "vault", messageType: "paid",
                    publisherGroup: "p-pay", expiresAt: 4_000_000_000_000, deliverLimit: 1, publishedAt: 0,
                    header: ByteBuffer(), body: ByteBuffer()),
                route: nil, connectionGroup: "p-pay", firstCheckAt: 1_000 + number)
        }
        _ = try await store.insert(halves, shard: 0)
        var (found, cursor, pages) = ([Int64](), TransactionCursor?.none, 0)
        repeat {
            let page = try await store.openTransactions(TwoTeams.own, after: cursor, limit: 2)
            found += page.transactions.map(\.seq)
            cursor = page.next
            pages += 1
        } while cursor != nil && pages < 20
        #expect(found == [300, 600, 900] && pages == 3)
    }
}
