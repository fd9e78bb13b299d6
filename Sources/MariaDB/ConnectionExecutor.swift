import CMariaDB

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// Runs a connection's jobs one after the other on a thread of its own: the connector's calls block, and must not block the
/// cooperative pool. The thread ends with the executor, once what was enqueued has run.
final class ConnectionExecutor: SerialExecutor {
    private let queue = JobQueue()

    /// - Throws: `MariaDBError` where the system gives no thread.
    init() throws {
        queue.executor = UnownedSerialExecutor(ordinary: self)
        try queue.start()
    }

    deinit { queue.stop() }

    func enqueue(_ job: consuming ExecutorJob) {
        queue.append(UnownedJob(job))
    }
}

/// The jobs of one executor, and the thread that runs them.
///
/// `@unchecked Sendable`: `jobs` and `isStopped` are guarded by `lock`; `executor` is set before the thread starts.
private final class JobQueue: @unchecked Sendable {
    /// Each pending job keeps its actor alive, and so the executor that this points to.
    var executor: UnownedSerialExecutor?
    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let wake = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var jobs: [UnownedJob] = []
    private var isStopped = false

    init() {
        pthread_mutex_init(lock, nil)
        pthread_cond_init(wake, nil)
    }

    deinit {
        pthread_cond_destroy(wake)
        pthread_mutex_destroy(lock)
        wake.deallocate()
        lock.deallocate()
    }

    func start() throws {
        var thread = pthread_t()
        let context = Unmanaged.passRetained(self)
        let code = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                Unmanaged<JobQueue>.fromOpaque(context).takeRetainedValue().run()
                return nil
            }, context.toOpaque())
        guard code == 0 else {
            context.release()
            throw MariaDBError(
                code: 2008, message: "no thread for a database connection: \(String(cString: strerror(code)))",
                isConnectionLost: true)
        }
        pthread_detach(thread)
    }

    func append(_ job: UnownedJob) {
        pthread_mutex_lock(lock)
        jobs.append(job)
        pthread_cond_signal(wake)
        pthread_mutex_unlock(lock)
    }

    func stop() {
        pthread_mutex_lock(lock)
        isStopped = true
        pthread_cond_signal(wake)
        pthread_mutex_unlock(lock)
    }

    private func run() {
        mysql_thread_init()
        defer { mysql_thread_end() }
        var batch: [UnownedJob] = []
        while true {
            pthread_mutex_lock(lock)
            while jobs.isEmpty && !isStopped { pthread_cond_wait(wake, lock) }
            swap(&batch, &jobs)
            pthread_mutex_unlock(lock)
            guard let executor, !batch.isEmpty else { return }
            for job in batch { job.runSynchronously(on: executor) }
            batch.removeAll(keepingCapacity: true)
        }
    }
}
