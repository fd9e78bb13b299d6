extension Duration {
    package var milliseconds: Int64 { nanoseconds / 1_000_000 }

    /// The nearest number that there is.
    package var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (whole, isTooMany) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, isOver) = whole.addingReportingOverflow(attoseconds / 1_000_000_000)
        return isTooMany || isOver ? (seconds < 0 ? .min : .max) : sum
    }
}
