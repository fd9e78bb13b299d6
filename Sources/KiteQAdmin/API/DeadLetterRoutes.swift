import HTTPTypes
import Hummingbird
import KiteQBroker
import KiteQCore

/// What could not be delivered: seen, counted, given back, deleted.
struct DeadLetterRoutes {
    let store: any OperatorStore
    let auditor: Auditor
    /// By which what dies is dated.
    let time: @Sendable () -> Timestamp

    /// Letters of a page while all that match are worked through.
    private static let batch = 200

    func add(toReading routes: ReadingRoutes) {
        routes.get("dead-letters", for: .counts, .within) { request, context in
            var query = try QueryReader(request)
            let limit = try query.limit()
            let cursor = try query.text("cursor")
            let wanted = try DeadLetterQuery(&query)
            try query.refuseRest()
            let caller = try context.requireCaller()
            let filter = try wanted.filter(for: caller)
            let page = try await store.deadLetters(filter, after: try self.cursor(cursor), limit: limit)
            return JSONAnswer(
                Listing(
                    items: page.letters.map { DeadLetterAnswer($0, caller) }, next: page.next?.description,
                    unreachable: page.failures.map(UnreachableShard.init)))
        }
        routes.get("dead-letters/:letter", for: .counts, .within) { request, context in
            try QueryReader(request).refuseRest()
            let id = try Self.id(context.part("letter") ?? "")
            let caller = try context.requireCaller()
            guard let letter = try await store.deadLetter(id), caller.scope.has(letter),
                let content = try await store.deadLetterContent(id)
            else {
                throw Problem(
                    .notFound, "there is no dead letter \(id): requeued or deleted before, or past its retention")
            }
            return JSONAnswer(DeadLetterDetail(letter, content, caller))
        }
        routes.post("dead-letters/count", for: .counts, .within) { request, context in
            try QueryReader(request).refuseRest()
            let query = try await JSONText.decode(DeadLetterQuery.self, from: request, limit: Limits.smallBody)
            let filter = try query.actingFilter(for: try context.requireCaller())
            let (count, failures) = await store.deadLetterCount(filter)
            if let failure = failures.first { throw Problem.unreachable(failure) }
            return JSONAnswer(CountAnswer(count))
        }
    }

    func add(toActing routes: ActingRoutes) {
        routes.post("dead-letters/requeue", as: "deadLetters.requeue", .within) { request, context in
            try await act("deadLetters.requeue", request, context) { letters, result in
                for letter in letters {
                    switch try await store.requeueDeadLetter(letter, lifetime: nil, to: []) {
                    case .requeued: result.did(letter)
                    case .notFound: result.skip(letter, "there is no such dead letter any more")
                    case .refused(let reason): result.skip(letter, reason)
                    }
                }
            }
        }
        routes.post("dead-letters/delete", as: "deadLetters.delete", .within) { request, context in
            try await act("deadLetters.delete", request, context) { letters, result in
                // Shard by shard: where one fails, what the others deleted is known.
                for (_, part) in Dictionary(grouping: letters, by: \.shard).sorted(by: { $0.key < $1.key }) {
                    let deleted = try await store.deleteDeadLetters(part)
                    for letter in part {
                        if deleted.contains(letter) {
                            result.did(letter)
                        } else {
                            result.skip(letter, "there is no such dead letter any more")
                        }
                    }
                }
            }
        }
    }

    // MARK: Acting on several

    /// Adds what becomes of each letter, so that what was done is known where it throws.
    private typealias Act = @Sendable ([DeadLetterID], inout DeadLetterResult) async throws -> Void

    private func act(
        _ action: String, _ request: Request, _ context: AdminContext, _ body: @escaping Act
    ) async throws -> JSONAnswer<DeadLetterResult> {
        try QueryReader(request).refuseRest()
        let selection = try await JSONText.decode(DeadLetterSelection.self, from: request, limit: Limits.smallBody)
        let caller = try context.requireCaller()
        // Refused before it is begun where a name in it is not the caller's.
        if case .all(let query, _) = selection.letters { _ = try query.actingFilter(for: caller) }
        let result = try await auditor.note(action, of: selection.target, selection.detail, context) { note in
            let trail = LetterTrail(action: action, reason: selection.reason, auditor: auditor, context: context)
            do {
                let result = try await act(on: selection.letters, caller, trail, body)
                trail.finish(note)
                if result.done == 0 {
                    note.nothing(result.skipped.first?.reason ?? "none matches")
                } else {
                    let skipped = result.skipped.isEmpty ? "" : ", \(result.skipped.count) skipped"
                    note.result("\(result.done) of \(result.done + result.skipped.count)\(skipped)")
                }
                return result
            } catch {
                trail.finish(note)
                throw error
            }
        }
        return JSONAnswer(result)
    }

    /// - Throws: ``Problem`` that says how many were done, where some were.
    private func act(
        on letters: DeadLetterSelection.Letters, _ caller: Caller, _ trail: LetterTrail, _ body: Act
    ) async throws -> DeadLetterResult {
        var result = DeadLetterResult()
        do {
            switch letters {
            case .named(let letters):
                // Afterwards nobody could say which messages they were.
                var known: [DeadLetter] = []
                for letter in letters { if let found = try await store.deadLetter(letter) { known.append(found) } }
                try Self.check(letters, known, caller.scope)
                try await act(on: letters, known, trail, &result, body)
            case .all(let query, let count):
                try await actOnAll(try query.actingFilter(for: caller), count, trail, &result, body)
            }
        } catch  where result.done > 0 {
            let reason = (error as? Problem)?.detail ?? "\(error)"
            throw Problem(
                .serviceUnavailable,
                "\(result.done) of \(letters.count) were done, then it failed: \(reason); "
                    + "see what is left before you go on")
        }
        return result
    }

    /// For whom some topics or groups alone are, one that is of others is as one that is not there, and then nothing is done:
    /// to pass over both would be the same to him, and leave no trace that he asked.
    /// - Throws: ``Problem`` with 404.
    private static func check(_ letters: [DeadLetterID], _ known: [DeadLetter], _ scope: NameScope) throws(Problem) {
        guard !scope.isAll else { return }
        let own = Set(known.filter(scope.has).map(\.id))
        guard let other = letters.first(where: { !own.contains($0) }) else { return }
        throw Problem(.notFound, "there is no dead letter \(other) for this token: nothing was done")
    }

    private func act(
        on letters: [DeadLetterID], _ known: [DeadLetter], _ trail: LetterTrail, _ result: inout DeadLetterResult,
        _ body: Act
    ) async throws {
        do {
            try await body(letters, &result)
        } catch {
            await trail.add(result.takeDone(), known)
            throw error
        }
        await trail.add(result.takeDone(), known)
    }

    private func actOnAll(
        _ filter: DeadLetterFilter, _ expected: Int, _ trail: LetterTrail, _ result: inout DeadLetterResult,
        _ body: Act
    ) async throws {
        var filter = filter
        // What dies while this runs is left alone: a letter that dies again at once must not go round for ever.
        filter.diedBefore = min(filter.diedBefore ?? .max, time() + 1)
        let (count, failures) = await store.deadLetterCount(filter)
        if let failure = failures.first { throw Problem.unreachable(failure) }
        guard count.value == expected else {
            throw Problem(
                .conflict,
                "\(count.value)\(count.isAtLeast ? " or more" : "") match now, not \(expected): nothing was done",
                count: count.value)
        }
        var cursor: DeadLetterCursor?
        repeat {
            let left = expected - result.done - result.skipped.count
            let page = try await store.deadLetters(filter, after: cursor, limit: min(Self.batch, left))
            if let failure = page.failures.first { throw Problem.unreachable(failure) }
            if !page.letters.isEmpty {
                try await act(on: page.letters.map(\.id), page.letters, trail, &result, body)
            }
            cursor = page.next
        } while cursor != nil && result.done + result.skipped.count < expected
    }

    // MARK: Reading

    static func id(_ text: String) throws(Problem) -> DeadLetterID {
        guard let id = DeadLetterID(text) else {
            throw Problem(.badRequest, "a dead letter is named SHARD:NUMBER, such as 0:17")
        }
        return id
    }

    private func cursor(_ text: String?) throws(Problem) -> DeadLetterCursor? {
        guard let text else { return nil }
        guard let cursor = DeadLetterCursor(text) else { throw Problem.wrongCursor }
        return cursor
    }
}
