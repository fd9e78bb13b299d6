import KiteQCore

/// Questions to all shards at once.
extension [Shard] {
    /// What each shard answers, nil where it does not, and why not.
    func gather<Answer: Sendable>(
        _ question: @escaping @Sendable (Shard) async throws -> Answer
    ) async -> (answers: [Answer?], failures: [ShardFailure]) {
        await withTaskGroup(of: (Int, Result<Answer, ShardFailure>).self) { tasks in
            for shard in self {
                tasks.addTask {
                    do {
                        return (shard.number, .success(try await question(shard)))
                    } catch {
                        return (shard.number, .failure(ShardFailure(shard: shard.number, reason: "\(error)")))
                    }
                }
            }
            var answers = [Answer?](repeating: nil, count: count)
            var failures: [ShardFailure] = []
            for await (number, answer) in tasks {
                switch answer {
                case .success(let answer): answers[number] = answer
                case .failure(let failure): failures.append(failure)
                }
            }
            return (answers, failures.sorted { $0.shard < $1.shard })
        }
    }

    /// - Throws: `StoreError` where a cursor is of another store.
    func checkCursor(_ positions: Int) throws {
        guard positions == count else {
            throw StoreError(.failed, "the cursor is of a store with \(positions) shards, this one has \(count)")
        }
    }
}
