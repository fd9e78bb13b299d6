import Synchronization

/// A request that waits for room in memory: until it gets it, its time is over, or nobody waits for its answer any more.
final class RoomWaiter: Sendable {
    private struct State {
        var hasRoom: Bool?
        var request: CheckedContinuation<Bool, Never>?
    }

    let bytes: Int
    let keys: [String]
    private let state = Mutex(State())

    init(_ bytes: Int, for keys: [String]) {
        self.bytes = bytes
        self.keys = keys
    }

    /// The first call counts; false where there was one.
    @discardableResult func end(_ hasRoom: Bool) -> Bool {
        let (isFirst, request) = state.withLock { state -> (Bool, CheckedContinuation<Bool, Never>?) in
            guard state.hasRoom == nil else { return (false, nil) }
            state.hasRoom = hasRoom
            defer { state.request = nil }
            return (true, state.request)
        }
        request?.resume(returning: hasRoom)
        return isFirst
    }

    /// Whether it got room within its time. To be called once.
    func hasRoom(within time: Duration) async -> Bool {
        // Cancelled where the scope is left before.
        async let _: Void = {
            do {
                try await Task.sleep(for: time)
                end(false)
            } catch {
                // It has ended before.
            }
        }()
        return await withTaskCancellationHandler {
            await withCheckedContinuation { request in
                let known = state.withLock { state in
                    if state.hasRoom == nil { state.request = request }
                    return state.hasRoom
                }
                if let known { request.resume(returning: known) }
            }
        } onCancel: {
            end(false)
        }
    }
}
