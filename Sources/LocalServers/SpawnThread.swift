import Foundation
import Synchronization

/// The thread that starts all child processes, and lives as long as this process.
///
/// The kernel's parent-death signal is sent when the *thread* that made the child ends. Threads of a pool come and go; this
/// one goes only when the process does, however that ends.
final class SpawnThread: Sendable {
    static let shared = SpawnThread()

    private let jobs = Mutex<[@Sendable () -> Void]>([])
    private let wake = DispatchSemaphore(value: 0)

    private init() {
        Thread.detachNewThread { [self] in
            while true {
                wake.wait()
                let job = jobs.withLock { $0.isEmpty ? nil : $0.removeFirst() }
                job?()
            }
        }
    }

    /// Runs `body` there, and waits for it: for things as short as posix_spawn.
    func run<Result: Sendable>(_ body: @escaping @Sendable () -> Result) -> Result {
        let done = DispatchSemaphore(value: 0)
        let box = Box<Result>()
        jobs.withLock {
            $0.append {
                box.value.withLock { $0 = body() }
                done.signal()
            }
        }
        wake.signal()
        done.wait()
        guard let result = box.value.withLock({ $0 }) else { preconditionFailure("the spawning thread skipped a job") }
        return result
    }

    private final class Box<Value: Sendable>: Sendable {
        let value = Mutex<Value?>(nil)
    }
}
