import HTTPTypes
import Hummingbird
import KiteQBroker
import KiteQCore

/// Consumer groups: what waits for them, and pausing them.
struct GroupRoutes {
    let services: AdminServices
    let auditor: Auditor
    private let pages = AnswerCache<PageKey, GroupListing>(lifetime: .seconds(5))
    private let reports = AnswerCache<BindingName, (report: GroupReport, failures: [ShardFailure])>(
        lifetime: .seconds(1))
    private let brokers = AnswerCache<Int, BrokerListing>(lifetime: .seconds(2))

    /// Groups that one page of a search looks through.
    private static let searched = 500

    private struct PageKey: Hashable, Sendable {
        var after: String?
        var limit: Int
        /// Those that are asked for by name; nil: a page of all.
        var names: [String]?
    }

    init(_ services: AdminServices, _ auditor: Auditor) {
        self.services = services
        self.auditor = auditor
    }

    func add(toReading routes: ReadingRoutes) {
        routes.get("groups", for: .counts, .within) { request, context in
            var query = try QueryReader(request)
            let limit = try query.limit()
            let after = try KeyCursor(query.text("cursor"), parts: 1).parts.first
            let search = NameSearch(try query.name("search"))
            try query.refuseRest()
            if let own = try context.requireCaller().scope.groups {
                return JSONAnswer(try await page(of: own, after: after, limit: limit, search))
            }
            return JSONAnswer(try await page(after: after, limit: limit, search))
        }
        routes.get("groups/:group", for: .counts, .within) { request, context in
            try QueryReader(request).refuseRest()
            let name = try Self.name(context)
            try context.requireCaller().check(group: name)
            let group = try await group(name)
            guard group.isKnown else { throw Self.unknown(name) }
            return JSONAnswer(group)
        }
    }

    func add(toActing routes: ActingRoutes) {
        routes.post("groups/:group/pause", as: "groups.pause", .within) { request, context in
            try QueryReader(request).refuseRest()
            let name = try Self.name(context)
            let caller = try context.requireCaller()
            try caller.check(group: name)
            let reason = try await JSONText.decode(Reason.self, from: request, limit: Limits.smallBody).reason
            guard try await group(name).isKnown else { throw Self.unknown(name) }
            let isNew = try await auditor.note("groups.pause", of: name, ["reason": reason], context) { note in
                let isNew = try await services.store.pause(name, by: caller.name, reason: reason)
                if !isNew { note.nothing("it was paused already") }
                try await pausesChanged()
                return isNew
            }
            return JSONAnswer(
                Done(done: isNew ? "\(name) gets nothing until it is resumed" : "\(name) was paused already"))
        }
        routes.post("groups/:group/resume", as: "groups.resume", .within) { request, context in
            try QueryReader(request).refuseRest()
            let name = try Self.name(context)
            try context.requireCaller().check(group: name)
            let why = try await OptionalReason(of: request)
            let wasPaused = try await auditor.note("groups.resume", of: name, why.detail, context) { note in
                let wasPaused = try await services.store.resume(name)
                if !wasPaused { note.nothing("it was not paused") }
                try await pausesChanged()
                return wasPaused
            }
            return JSONAnswer(Done(done: wasPaused ? "\(name) goes on" : "\(name) was not paused"))
        }
        routes.post("groups/:group/unbind", as: "groups.unbind", .within) { request, context in
            try QueryReader(request).refuseRest()
            let name = try Self.name(context)
            let caller = try context.requireCaller()
            try caller.check(group: name)
            let asked = try await JSONText.decode(UnbindRequest.self, from: request, limit: Limits.smallBody)
            try Self.check(asked.topics, caller)
            let done = try await auditor.note("groups.unbind", of: name, ["reason": asked.reason], context) { note in
                try await unbind(name, from: asked.topics, note)
            }
            return JSONAnswer(Done(done: done))
        }
    }

    /// Without topics it is about all of them: whoever is for some alone names them.
    private static func check(_ topics: [String]?, _ caller: Caller) throws(Problem) {
        guard caller.scope.topics != nil else { return }
        guard let topics else {
            throw .refused(
                .scope, .forbidden, "\(caller.name) is for some topics alone: name those that it is to be unbound from")
        }
        for topic in topics { try caller.check(topic: topic) }
    }

    /// - Parameter asked: nil: from all that this broker knows it to be bound to.
    /// - Returns: what was done, a sentence.
    private func unbind(_ group: String, from asked: [String]?, _ note: ActNote) async throws -> String {
        let bindings = services.broker.bindings.filter { BindingName($0.group) == BindingName(group) }
        let bound = Set(bindings.map { BindingName($0.topic) })
        let topics = asked ?? bound.sorted { $0 < $1 }.map(\.text)
        let list = topics.joined(separator: ", ")
        note.detail("topics", list)
        note.detail(ActScope.key, ActScope.text(Set(topics.map { .init(topic: $0, group: group) })))
        guard !topics.isEmpty else {
            throw Problem(
                .conflict,
                "\(group) is bound to nothing that this broker knows of: name the topics where others serve them")
        }
        do {
            try await withDeadline(Self.registryTime) { [broker = services.broker] in
                try await broker.removeBindings(of: group, from: topics)
            }
        } catch let error as RegistryError {
            throw Problem(error.code == .unavailable ? .serviceUnavailable : .conflict, error.message)
        } catch is RegistryIsSilent {
            throw Problem(
                .serviceUnavailable,
                "the registry does not answer, so it is not known whether the bindings have ended: see kiteq groups show, and try again"
            )
        }
        pages.clear()
        reports.clear()
        if !topics.contains(where: { bound.contains(BindingName($0)) }) {
            note.result("it was not known here to be bound to any of them")
        }
        let clients = GroupsHere(services.broker).statuses[BindingName(group)]?.clients ?? 0
        let again = clients > 0 ? "; its \(clients) clients here bind it again when they start anew" : ""
        return "\(group) is no longer bound to \(list): it is owed nothing new\(again)"
    }

    /// The registry is waited for no longer.
    private static let registryTime = Duration.seconds(5)

    private struct RegistryIsSilent: Error {}

    private func withDeadline(_ limit: Duration, _ body: @escaping @Sendable () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { race in
            race.addTask { try await body() }
            race.addTask {
                try await Task.sleep(for: limit)
                throw RegistryIsSilent()
            }
            defer { race.cancelAll() }
            try await race.next()
        }
    }

    private func pausesChanged() async throws {
        pages.clear()
        reports.clear()
        try await services.broker.refreshPausedGroups()
    }

    private static func unknown(_ name: String) -> Problem {
        Problem(
            .notFound,
            "no group \(name) is known: it is not bound here, has no client, is not paused, and nothing waits for it")
    }

    static func name(_ context: AdminContext) throws(Problem) -> String {
        guard let name = context.part("group"),
            (1...255).contains(name.utf8.count)
        else { throw Problem(.badRequest, "a group's name has 1 to 255 bytes of UTF-8") }
        return name
    }

    /// The store knows groups by their order alone: what is searched for is picked from large pages of it.
    private func page(after: String?, limit: Int, _ search: NameSearch) async throws -> Listing<GroupAnswer> {
        let store = services.store
        let asked = search.isForAll ? limit : max(limit, Self.searched)
        let listing = await pages.value(PageKey(after: after, limit: asked)) {
            await store.groupReports(after: after, limit: asked)
        }
        let names = await brokerNames()
        let unreachable = listing.value.failures.map(UnreachableShard.init)
        let here = GroupsHere(services.broker)
        let found = here.adding(to: listing.value.groups, after: after, until: listing.value.next)
            .filter { search.matches($0.name) }
        // Those that are only bound may be more than fit: the next page begins behind the last that is shown.
        let page = found.prefix(limit)
        let next = found.count > limit ? page.last?.name : listing.value.next
        return Listing(
            items: page.map {
                GroupAnswer($0, here, brokers: names, at: services.broker.time - listing.age, unreachable: unreachable)
            },
            next: try next.map { try KeyCursor([$0]).text }, unreachable: unreachable)
    }

    /// Those of a token for some groups alone are asked for by their names: to page through all of them would say, by where a
    /// page ends, who else there is.
    private func page(
        of own: Set<BindingName>, after: String?, limit: Int, _ search: NameSearch
    ) async throws -> Listing<GroupAnswer> {
        let store = services.store
        let wanted = own.filter { name in
            search.matches(name.text) && (after.map { BindingName($0) < name } ?? true)
        }.sorted()
        let looked = wanted.prefix(limit).map(\.text)
        let key = PageKey(after: nil, limit: limit, names: looked)
        let listing = await pages.value(key) {
            let (reports, failures) = await store.groupReports(of: looked)
            return GroupListing(groups: reports, failures: failures)
        }
        let names = await brokerNames()
        let unreachable = listing.value.failures.map(UnreachableShard.init)
        let here = GroupsHere(services.broker)
        let found = listing.value.groups.map {
            GroupAnswer($0, here, brokers: names, at: services.broker.time - listing.age, unreachable: unreachable)
        }
        return Listing(
            items: found.filter(\.isKnown).sorted { BindingName($0.group) < BindingName($1.group) },
            next: wanted.count > limit ? try looked.last.map { try KeyCursor([$0]).text } : nil,
            unreachable: unreachable)
    }

    private func group(_ name: String) async throws -> GroupAnswer {
        let store = services.store
        let answer = await reports.value(BindingName(name)) { await store.groupReport(of: name) }
        return GroupAnswer(
            answer.value.report, GroupsHere(services.broker), brokers: await brokerNames(),
            at: services.broker.time - answer.age, unreachable: answer.value.failures.map(UnreachableShard.init))
    }

    private func brokerNames() async -> [Int64: String] {
        let store = services.store
        let listing = await brokers.value(0) { await store.brokers() }.value
        return Dictionary(listing.brokers.map { ($0.number, $0.name) }, uniquingKeysWith: { first, _ in first })
    }
}
