/// Milliseconds since 1970-01-01 UTC: every time that is stored, or that another process sees.
///
/// It follows the wall clock, which can be set back. For deadlines and rates inside the process see ``MonotonicTime``; the
/// protocol's own times (expiredTime, createTime) are seconds, and become this when a publish is checked.
package typealias Timestamp = Int64
