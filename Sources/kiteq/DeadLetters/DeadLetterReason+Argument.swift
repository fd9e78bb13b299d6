import ArgumentParser
import KiteQCore

extension DeadLetterReason: ExpressibleByArgument {
    /// As the command line and its output call it.
    var name: String {
        switch self {
        case .attemptsUsedUp: "attempts"
        case .expired: "expired"
        case .undecided: "undecided"
        }
    }

    public init?(argument: String) {
        guard let reason = Self.allCases.first(where: { $0.name == argument }) else { return nil }
        self = reason
    }

    public static var allValueStrings: [String] { allCases.map(\.name) }
}
