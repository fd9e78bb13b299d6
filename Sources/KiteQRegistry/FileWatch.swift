/// Decides when a file that is looked at now and then is to be read.
///
/// A change is read once two looks in a row see the same: whoever is writing is then done, or pauses for longer than a
/// look takes. The first look is read at once. Absence is a change too.
struct FileWatch<Signature: Sendable & Equatable>: Sendable {
    private enum State {
        case new
        case read(Signature?)
        case changing(Signature?)
    }

    private var state = State.new

    init() {}

    /// Whether to read now.
    /// - Parameter seen: Nil where there is no file.
    mutating func look(_ seen: Signature?) -> Bool {
        switch state {
        case .new: break
        case .read(let last):
            if seen != last { state = .changing(seen) }
            return false
        case .changing(let last):
            guard seen == last else {
                state = .changing(seen)
                return false
            }
        }
        state = .read(seen)
        return true
    }
}
