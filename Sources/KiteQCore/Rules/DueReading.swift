/// Where a worker stands that reads due half messages page by page, in the order in which they came due.
///
/// Rows that are left to other brokers stay due, at the head of that order. The worker reads them once, and then for some
/// passes only what came due after them: a crowd of them costs neither reading nor the time of those behind.
package struct DueReading: Sendable {
    /// Passes that begin behind the rows at the head which are left; the next one begins at the head.
    private static let shortPasses = 10

    /// Behind which the next page begins; nil: at the head.
    package private(set) var place: DueTransaction.Place?
    private var head: DueTransaction.Place?
    private var isHead = true
    private var passes = 0

    package init() {}

    /// A page was read.
    ///
    /// - Parameters:
    ///   - rows: in their order; left are those that this broker will not touch for as long as nothing changes here.
    ///   - isLast: there are no more; the next page is the first of another pass.
    package mutating func read(_ rows: some Sequence<(place: DueTransaction.Place, isLeft: Bool)>, isLast: Bool) {
        var last = place
        for row in rows {
            isHead = isHead && row.isLeft
            if isHead { head = row.place }
            last = row.place
        }
        guard isLast else {
            place = last
            return
        }
        passes += 1
        if passes % Self.shortPasses == 0 { head = nil }
        place = head
        isHead = true
    }

    /// What was left may be another matter now.
    package mutating func startOver() { self = DueReading() }
}
