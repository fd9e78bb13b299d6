import HTTPTypes
import Hummingbird
import KiteQBroker
import KiteQCore

/// This broker: its configuration, its clients, its bindings; drained and reloaded.
struct BrokerRoutes {
    let services: AdminServices
    let auditor: Auditor

    func add(toReading routes: ReadingRoutes) {
        routes.get("session", for: .counts, .apart) { request, context in
            try QueryReader(request).refuseRest()
            let caller = try context.requireCaller()
            return JSONAnswer(
                SessionAnswer(
                    name: caller.name, role: caller.role, broker: services.broker.identity.name,
                    topics: caller.scope.topics?.sorted().map(\.text), groups: caller.scope.groups?.sorted().map(\.text)
                ))
        }
        routes.get("configuration", for: .read, .whole) { request, _ in
            try QueryReader(request).refuseRest()
            return JSONAnswer(Items(items: await services.configuration()))
        }
        routes.get("bindings", for: .counts, .within) { request, context in
            var query = try QueryReader(request)
            let limit = try query.limit()
            let place = try KeyCursor(query.text("cursor"), parts: 3)
            let (topic, group) = (try query.name("topic"), try query.name("group"))
            try query.refuseRest()
            let caller = try context.requireCaller()
            try caller.check(topic: topic)
            try caller.check(group: group)
            let (wantedTopic, wantedGroup) = (topic.map(BindingName.init), group.map(BindingName.init))
            let bindings = services.broker.bindings.filter { binding in
                wantedTopic.map { $0 == BindingName(binding.topic) } ?? true
                    && wantedGroup.map { $0 == BindingName(binding.group) } ?? true
                    && caller.scope.has(topic: binding.topic) && caller.scope.has(group: binding.group)
            }.map(BindingAnswer.init).sorted { $0.key < $1.key }
            return JSONAnswer(try Page(bindings, limit: limit, after: place, key: \.key))
        }
        routes.get("connections", for: .read, .within) { request, context in
            var query = try QueryReader(request)
            let limit = try query.limit()
            let after = try query.number("cursor")
            let group = try query.name("group")
            try query.refuseRest()
            let caller = try context.requireCaller()
            try caller.check(group: group)
            let groups = group.map { [BindingName($0)] } ?? caller.scope.groups
            let page = services.broker.connections(of: groups, after: after ?? 0, limit: limit)
            return JSONAnswer(
                Page(
                    items: (page?.connections ?? []).map(ConnectionAnswer.init), next: page?.next.map { "\($0)" }))
        }
    }

    func add(toActing routes: ActingRoutes) {
        routes.post("broker/drain", as: "broker.drain", .whole) { request, context in
            try QueryReader(request).refuseRest()
            let reason = try await JSONText.decode(Reason.self, from: request, limit: Limits.smallBody)
            try await auditor.note(
                "broker.drain", of: services.broker.identity.name, ["reason": reason.reason], context
            ) { _ in await services.drain() }
            return JSONAnswer(
                Done(done: "the broker leaves the registry, finishes what is in flight, and ends"), status: .accepted)
        }
        routes.post("broker/reload", as: "broker.reload", .whole) { request, context in
            try QueryReader(request).refuseRest()
            let why = try await OptionalReason(of: request)
            let report = try await auditor.note(
                "broker.reload", of: services.broker.identity.name, why.detail, context
            ) { note in
                do {
                    let report = try await services.reload()
                    if report.applied.isEmpty { note.nothing("nothing that a reload applies has changed") }
                    if !report.applied.isEmpty { note.detail("applied", report.applied.joined(separator: " ")) }
                    return report
                } catch {
                    throw Problem(.conflict, "nothing was changed: \(error)")
                }
            }
            return JSONAnswer(ReloadAnswer(applied: report.applied, needsRestart: report.needsRestart))
        }
    }
}

struct SessionAnswer: Encodable, Sendable {
    var name: String
    var role: Role
    var broker: String
    /// Null: it is for all of them.
    @ExplicitNull var topics: [String]?
    @ExplicitNull var groups: [String]?
}

struct BindingAnswer: Encodable, Sendable {
    var topic: String
    var group: String
    var messageType: String
    var kind: BindKindName
    var watermark: Int
    var persistent: Bool

    init(_ binding: Binding) {
        topic = binding.topic
        group = binding.group
        messageType = binding.messageType
        kind = BindKindName(binding.kind)
        watermark = binding.watermark
        persistent = binding.persistent
    }

    /// By which they are listed.
    var key: KeyCursor { KeyCursor([topic, group, messageType + "\u{0}" + kind.rawValue]) }
}

struct ReloadAnswer: Encodable, Sendable {
    /// Options that are in force now and were not before.
    var applied: [String]
    /// Options that changed and need a restart.
    var needsRestart: [String]
}
