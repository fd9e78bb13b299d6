/// Unix milliseconds: what is stored, and what other processes see.
package typealias Timestamp = Int64

/// Nanoseconds of this process's monotonic clock: deadlines and rates. Means nothing to anyone else.
package typealias MonotonicTime = Int64
