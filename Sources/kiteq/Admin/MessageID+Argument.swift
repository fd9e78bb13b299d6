import ArgumentParser
import KiteQCore

extension MessageID: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}
