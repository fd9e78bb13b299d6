/// Nanoseconds of this process's monotonic clock (`NIODeadline.uptimeNanoseconds`): deadlines, rates, warming up.
///
/// It never goes back and means nothing to any other process, nor after a restart: it is never stored. For what is stored
/// see ``Timestamp``.
package typealias MonotonicTime = Int64
