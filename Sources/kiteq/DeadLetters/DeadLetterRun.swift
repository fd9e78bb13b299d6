import KiteQAdminClient
import KiteQCore

/// Requeues or deletes what was selected, and prints what became of it.
struct DeadLetterRun {
    let act: DeadLetterAct
    let selection: DeadLetterSelection
    let json: Bool
    let client: AdminClient

    /// - Throws: ``CommandError`` where not all of it was done, or the person asked did not want it.
    func run() async throws {
        let result = selection.ids.isEmpty ? try await byFilter() : try await byID()
        if !json {
            for skipped in result.skipped {
                StandardOutput.print(VisibleText.escaped("\(skipped.letter) not \(act.past): \(skipped.reason)"))
            }
            StandardOutput.print("\(Figures.count(result.done)) \(act.past)")
        }
        guard result.skipped.isEmpty else {
            let all = Figures.count(result.done + result.skipped.count)
            throw CommandError("\(Figures.count(result.skipped.count)) of \(all) dead letters were not \(act.past)")
        }
    }

    private func byID() async throws -> API.DeadLetterResult {
        var letters: [String] = []
        for id in selection.ids {
            let found = try await id.letters(client, group: selection.filter.group)
            let group = selection.filter.group.map { " of \(VisibleText.escaped($0))" } ?? ""
            // Before anything is done: a list with a mistake in it is looked at again.
            guard !found.isEmpty else { throw CommandError("there is no dead letter \(id)\(group)") }
            letters += found.filter { !letters.contains($0) }
        }
        var (done, skipped) = (0, [API.DeadLetterResult.Skipped]())
        for start in stride(from: 0, to: letters.count, by: API.DeadLetterSelection.maxLetters) {
            let part = letters[start..<min(start + API.DeadLetterSelection.maxLetters, letters.count)]
            let result = try await send(.letters(Array(part)))
            done += result.done
            skipped += result.skipped
        }
        return API.DeadLetterResult(done: done, skipped: skipped)
    }

    private func byFilter() async throws -> API.DeadLetterResult {
        let filter = try await selection.filter.filter(client)
        let count = try await confirmed(filter)
        return try await send(.filter(filter, count: count))
    }

    /// How many are to be changed, as a person or the script said.
    private func confirmed(_ filter: API.DeadLetterFilter) async throws -> Int {
        if let expect = selection.expect { return expect }
        guard Terminal.isAnsweredByPerson else {
            throw CommandError(
                "nobody is there to be asked: count them (kiteq dead-letters count), then say --yes --expect N",
                status: .usage)
        }
        let found = try await client.send(API.countDeadLetters(filter))
        // Counting ends at a bound, and so does what is done at a time: the oldest.
        let some = found.isAtLeast ? "the oldest \(Figures.count(found.count)) of them" : "them"
        StandardError.write("\(Figures.count(found)) dead letters match. To \(act.name) \(some), type that number: ")
        // Its thread waits; nothing else is to be done meanwhile.
        guard let answer = readLine(), Self.isConfirmation(answer, of: found.count) else {
            throw CommandError("nothing was done")
        }
        return found.count
    }

    /// The number, with or without its commas.
    static func isConfirmation(_ answer: String, of count: Int) -> Bool {
        Int(answer.filter { $0 != "," && !$0.isWhitespace }) == count
    }

    private func send(_ selection: API.DeadLetterSelection) async throws -> API.DeadLetterResult {
        let request = try act.request(selection, reason: self.selection.auditReason)
        let (result, text) = try await client.sendWithJSON(request)
        if json { AdminOutput.print(text) }
        return result
    }
}
