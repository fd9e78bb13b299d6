#if THREAD_SANITIZER
    @testable import KiteQRegistry

    /// The lock that the thread sanitizer sees; without this line the name would be ambiguous here.
    typealias Mutex = KiteQRegistry.Mutex
#endif
