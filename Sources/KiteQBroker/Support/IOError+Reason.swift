import NIOCore

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

extension IOError {
    /// The system's words alone.
    var reason: String { String(cString: strerror(errnoCode)) }
}
