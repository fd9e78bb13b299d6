#if THREAD_SANITIZER
    import Foundation

    /// Takes the place of `Synchronization.Mutex` in this module when the thread sanitizer is on
    /// (`--sanitize=thread -Xswiftc -DTHREAD_SANITIZER`).
    ///
    /// On Linux that one is a futex inside a library that is not instrumented: the sanitizer sees no lock there and takes all
    /// that it guards for races. It does see a pthread mutex, so what it reports with this one is real.
    struct Mutex<Value: ~Copyable>: ~Copyable {
        private let lock: UnsafeMutablePointer<pthread_mutex_t>
        private let value: UnsafeMutablePointer<Value>

        init(_ initial: consuming sending Value) {
            lock = .allocate(capacity: 1)
            let result = pthread_mutex_init(lock, nil)
            precondition(result == 0, "no mutex can be made: \(result)")
            value = .allocate(capacity: 1)
            value.initialize(to: initial)
        }

        deinit {
            pthread_mutex_destroy(lock)
            lock.deallocate()
            value.deinitialize(count: 1)
            value.deallocate()
        }

        borrowing func withLock<Result: ~Copyable, Failure: Error>(
            _ body: (inout sending Value) throws(Failure) -> sending Result
        ) throws(Failure) -> sending Result {
            pthread_mutex_lock(lock)
            defer { pthread_mutex_unlock(lock) }
            return try body(&value.pointee)
        }
    }

    // The value is reached through withLock only.
    extension Mutex: @unchecked Sendable where Value: ~Copyable {}
#endif
