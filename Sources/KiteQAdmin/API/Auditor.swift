import HTTPTypes
import Hummingbird
import KiteQCore
import Logging

/// Writes down every act and who did it: a line of the log, and a row of `kite_audit` where the store takes it.
///
/// The log line comes in any case, so that an act on a broker whose store is away leaves a trace, too.
struct Auditor: Sendable {
    let store: any OperatorStore
    let acts: ActCounts
    let logger: Logger

    /// Carries an act out and notes how it ended; what it throws goes on to the caller.
    ///
    /// - Parameter act: says of itself what is more than `done`, or less.
    func note<Result: Sendable>(
        _ action: String, of target: String, _ detail: [String: String], _ context: AdminContext,
        _ act: (ActNote) async throws -> Result
    ) async throws -> Result {
        context.trail?.began()
        let note = ActNote()
        do {
            let result = try await act(note)
            await write(action, target, detail.merging(note.details) { $1 }, context, outcome: note.outcome)
            acts.count(action, note.isNothing ? .nothing : .done)
            return result
        } catch {
            let reason = (error as? Problem)?.detail ?? "\(error)"
            await write(
                action, target, detail.merging(note.details) { $1 }, context, outcome: "failed: \(reason)")
            acts.count(action, .failed)
            throw error
        }
    }

    /// Writes an entry of an act that goes on.
    func write(
        _ action: String, _ target: String, _ detail: [String: String], _ context: AdminContext, outcome: String
    ) async {
        let caller = context.caller ?? context.trail?.caller
        let (name, role) = (caller?.name ?? "nobody", caller?.role.rawValue ?? "none")
        let remote = context.source.remote
        var metadata: Logger.Metadata = [
            "actor": "\(name)", "role": "\(role)", "remote": "\(remote)",
            "action": "\(action)", "target": "\(target)", "outcome": "\(outcome)",
        ]
        for (key, value) in detail { metadata["detail.\(key)"] = "\(value)" }
        logger.notice("audit: \(name) \(action) \(target): \(outcome)", metadata: metadata)
        do {
            let json = String(buffer: try JSONText.encode(detail))
            _ = try await store.appendAudit(
                AuditEntry(
                    actor: name, role: role, remote: remote, action: action,
                    target: target, detail: json, outcome: outcome))
        } catch {
            acts.countUnwritten()
            logger.error("an act is in this log alone, the store did not take it: \(error)", metadata: metadata)
        }
    }
}
